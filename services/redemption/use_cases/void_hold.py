"""Let reserved points go, because a till asks for it."""

from dataclasses import dataclass
from uuid import UUID

from services.redemption.domain.errors import UnknownRedemptionError
from services.redemption.domain.holding import decide_early_void, decide_void
from services.redemption.domain.redemption import Redemption, State
from services.redemption.repository import locked_holds, redemptions
from services.redemption.use_cases.messages import named, voided_message
from services.redemption.use_cases.take_points import (
    accepted,
    balances_after,
    letting_go,
    lives_until,
    own_balances,
)
from services.redemption.use_cases.visibility import Viewer
from shared import ledger, outbox
from shared.database import Transaction
from shared.ledger import Balances


@dataclass(frozen=True, slots=True)
class Voided:
    """``points`` went back to the balance; ``balance`` is None where the void came before its hold."""

    redemption: Redemption
    points: int
    balance: Balances | None


async def void_hold(
    transaction: Transaction, viewer: Viewer, redemption_id: UUID, point_type: str, *, came_back_days: int = 0
) -> Voided:
    """Give what is still reserved back to its lots; where the time of one is over, for ``came_back_days`` more.

    A till that heard nothing of its hold may void it before the hold arrives: the id is then spent, and the hold is
    refused when it comes. Only a partner's client can do that, since the id must belong to somebody. What such a hold
    would have been of does not matter: ``point_type`` stands in the row.

    Raises:
        UnknownRedemptionError, HoldNotOpenError: nothing was changed.
    """
    redemption = await locked_holds.lock(transaction, redemption_id, viewer.partner_id)
    if redemption is None and viewer.partner_id is not None:
        # Between the two statements the hold may have come after all: meeting it gives whatever is there now.
        await redemptions.meet_redemptions(transaction, {redemption_id: point_type})
        redemption = await locked_holds.lock(transaction, redemption_id, viewer.partner_id)
    if redemption is None:
        raise UnknownRedemptionError
    if redemption.state is State.AWAITED and redemption.partner_id is None and viewer.partner_id is not None:
        voided = decide_early_void(redemption, viewer.partner_id, transaction.now)
        await redemptions.save_redemptions(transaction, [voided])
        return Voided(voided, 0, None)
    if not viewer.sees(redemption.partner_id):
        raise UnknownRedemptionError
    let_go = decide_void(redemption, transaction.now)
    member_id, _ = named(redemption)
    asked = letting_go(redemption, member_id, "void", lives_until(transaction, came_back_days))
    commands = [command for _, command in asked]
    posted = accepted(await ledger.post(transaction, commands, written_later=not redemption.shares))
    own, pooled = balances_after(asked, posted)
    [balance] = await own_balances(transaction, [(redemption.point_type, member_id, own)])
    locked_holds.settle_later(transaction, let_go.redemption)
    outbox.record_later(transaction, voided_message(transaction, let_go, balance, pooled))
    return Voided(let_go.redemption, let_go.points, balance)
