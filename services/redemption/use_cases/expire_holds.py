"""Let holds go whose time is over."""

from datetime import datetime

from services.redemption.domain.holding import decide_expiry
from services.redemption.repository import projections, redemptions
from services.redemption.use_cases.messages import expired_message, named
from services.redemption.use_cases.take_points import accepted
from shared import ledger, outbox
from shared.database import Transaction

# One page holds its members' ledger rows to the commit: small enough to stay within a till's patience.
EXPIRY_PAGE_ROWS = 100


async def expire_holds(transaction: Transaction, purchases_read_to: datetime, rows_max: int = EXPIRY_PAGE_ROWS) -> int:
    """Let one page of overdue holds go, oldest first; how many. Fewer than ``rows_max``: there are no more for now.

    A hold that somebody is capturing or voiding at this moment is passed over: that decides its fate. One whose end
    lies after ``purchases_read_to`` is left, since the receipt that captures it may be on the topic still unread.
    Safe to run anywhere, any number of times.
    """
    due_at = min(transaction.now, purchases_read_to)
    due = await redemptions.lock_due_holds(transaction, due_at, rows_max)
    decided = [decide_expiry(redemption, purchases_read_to, transaction.now) for redemption in due]
    expiries = [let_go for let_go in decided if let_go is not None]
    if not expiries:
        return 0
    owners = [named(let_go.redemption)[0] for let_go in expiries]
    await projections.lock_members(transaction, owners)
    outcomes = await ledger.post(
        transaction,
        [
            ledger.Void(
                owner_id=owner_id,
                point_type=let_go.redemption.point_type,
                reference=let_go.redemption.redemption_id.bytes,
                hold_id=let_go.redemption.redemption_id,
                purpose="expire",
            )
            for owner_id, let_go in zip(owners, expiries, strict=True)
        ],
    )
    await redemptions.save_redemptions(transaction, [let_go.redemption for let_go in expiries])
    await outbox.record(
        transaction,
        [
            expired_message(transaction, let_go.redemption, posted.points, posted.balance)
            for let_go, posted in zip(expiries, accepted(outcomes), strict=True)
        ],
    )
    return len(expiries)
