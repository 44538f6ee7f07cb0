"""Let holds go whose time is over."""

from datetime import datetime
from itertools import islice

from services.redemption.domain.holding import decide_expiry
from services.redemption.repository import projections, redemptions
from services.redemption.use_cases.messages import expired_message, named
from services.redemption.use_cases.take_points import (
    accepted,
    balances_after,
    letting_go,
    lives_until,
    own_balances,
    owners_of,
)
from shared import ledger, outbox
from shared.database import Transaction

# One page holds its members' ledger rows to the commit: small enough to stay within a till's patience.
EXPIRY_PAGE_ROWS = 100


async def expire_holds(
    transaction: Transaction,
    purchases_read_to: datetime,
    rows_max: int = EXPIRY_PAGE_ROWS,
    *,
    came_back_days: int = 0,
) -> int:
    """Let one page of overdue holds go, oldest first; how many. Fewer than ``rows_max``: there are no more for now.

    A hold that somebody is capturing or voiding at this moment is passed over: that decides its fate. One whose end
    lies after ``purchases_read_to`` is left, since the receipt that captures it may be on the topic still unread.
    What comes back to a lot whose time is over lives ``came_back_days`` more. Safe to run anywhere, any number of
    times.
    """
    due_at = min(transaction.now, purchases_read_to)
    due = await redemptions.lock_due_holds(transaction, due_at, rows_max)
    decided = [(redemption, decide_expiry(redemption, purchases_read_to, transaction.now)) for redemption in due]
    expiries = [(redemption, let_go) for redemption, let_go in decided if let_go is not None]
    if not expiries:
        return 0
    owners = [(redemption, named(redemption)[0]) for redemption, _ in expiries]
    await projections.lock_members(
        transaction, [one for redemption, member_id in owners for one in owners_of(redemption, member_id)]
    )
    until = lives_until(transaction, came_back_days)
    asked = [letting_go(redemption, member_id, "expire", until) for redemption, member_id in owners]
    outcomes = await ledger.post(transaction, [command for group in asked for _, command in group])
    posted = iter(accepted(outcomes))
    after = [balances_after(group, list(islice(posted, len(group)))) for group in asked]
    balances = await own_balances(
        transaction,
        [
            (redemption.point_type, member_id, own)
            for (redemption, member_id), (own, _) in zip(owners, after, strict=True)
        ],
    )
    await redemptions.save_redemptions(transaction, [let_go.redemption for _, let_go in expiries])
    await outbox.record(
        transaction,
        [
            expired_message(transaction, let_go, balance, pooled)
            for (_, let_go), balance, (_, pooled) in zip(expiries, balances, after, strict=True)
        ],
    )
    return len(expiries)
