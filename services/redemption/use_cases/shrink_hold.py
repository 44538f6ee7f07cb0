"""Let a part of what is reserved go, because less of an order will be delivered."""

from dataclasses import dataclass
from uuid import UUID

from services.redemption.domain.errors import UnknownRedemptionError
from services.redemption.domain.redemption import Redemption
from services.redemption.domain.shrinking import decide_shrink
from services.redemption.repository import projections, redemptions
from services.redemption.use_cases.messages import named, shrunk_message
from services.redemption.use_cases.take_points import (
    accepted,
    balances_after,
    lives_until,
    own_balances,
    owners_of,
    shrinking,
)
from services.redemption.use_cases.visibility import Viewer
from shared import ledger, outbox
from shared.database import Transaction
from shared.ledger import Balances


@dataclass(frozen=True, slots=True)
class Shrunk:
    """``points`` went back to the balance: none, where no more than was asked for was reserved already."""

    redemption: Redemption
    points: int
    balance: Balances


async def shrink_hold(
    transaction: Transaction, viewer: Viewer, redemption_id: UUID, points: int, *, came_back_days: int = 0
) -> Shrunk:
    """Keep ``points`` (positive) of what is reserved, and give the rest back to its lots.

    By what is to stay, so that the same again changes nothing, whatever key it comes under. What others lend goes back
    before the member's own. Locks the redemption, then its owners and their accounts in the ledger, each to the commit.

    Raises:
        UnknownRedemptionError, HoldNotOpenError, ExceedsHoldError: nothing was changed.
    """
    redemption = await redemptions.lock_redemption(transaction, redemption_id)
    if redemption is None or not viewer.sees(redemption.partner_id):
        raise UnknownRedemptionError
    shrink = decide_shrink(redemption, points)
    member_id, _ = named(redemption)
    if not shrink.points:
        balances = await ledger.load_balances(transaction, [member_id], redemption.point_type)
        return Shrunk(redemption, 0, balances[member_id])
    await projections.lock_known_members(transaction, owners_of(redemption, member_id))
    asked = shrinking(shrink, redemption, member_id, lives_until(transaction, came_back_days))
    posted = accepted(await ledger.post(transaction, [command for _, command in asked]))
    own, pooled = balances_after(asked, posted)
    [balance] = await own_balances(transaction, [(redemption.point_type, member_id, own)])
    await redemptions.save_redemptions(transaction, [shrink.redemption])
    message = shrunk_message(transaction, shrink, balance, pooled)
    await outbox.record(transaction, [message])
    return Shrunk(shrink.redemption, shrink.points, balance)
