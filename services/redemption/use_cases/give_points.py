"""One member gives points to another."""

from dataclasses import dataclass
from uuid import UUID

from services.redemption.domain.confirming import Clearance
from services.redemption.domain.errors import UnknownMemberError
from services.redemption.domain.gifting import (
    Gift,
    GiftIdTakenError,
    GiftLimits,
    GiftRefusedError,
    MergeUnderWayError,
    Since,
    UnknownReceiverError,
    require_may_give,
)
from services.redemption.programme import Programme
from services.redemption.repository import gifts, merges, projections
from services.redemption.use_cases.hold_points import Spender
from services.redemption.use_cases.messages import given_message
from shared import ledger, outbox
from shared.database import Transaction, read_to
from shared.database.errors import StartAgainError
from shared.events.catalogue import MEMBERS
from shared.ledger import Balances, Give, Refused


@dataclass(frozen=True, slots=True)
class GiftWish:
    """What a client asks for. The giver is vouched for by its id; the receiver is named as at a till. ``clearance``:
    who let the points go, where that was asked."""

    gift_id: UUID
    giver_id: UUID
    receiver: Spender
    point_type: str
    points: int
    client_id: str
    clearance: Clearance | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """The points went, now or by the same gift before; ``balance`` is what the giver has by now."""

    gift: Gift
    balance: Balances
    is_repeat: bool = False


async def give_points(transaction: Transaction, wish: GiftWish, limits: GiftLimits, programme: Programme) -> Given:
    """Give points that the giver has, or say why not. A gift that was given before changes nothing.

    The gift's row is claimed by its id first; then both members are locked in key order, then both accounts. Row,
    points and event are one commit. Lots go first expiring first and keep issuer, payers, price, dates and limits; what
    the receiver owes is cleared from them at once.

    Raises:
        GiftRefusedError, GiftIdTakenError, UnknownMemberError, UnknownReceiverError, InvalidQrTokenError: the
            transaction must be rolled back; nothing was changed, and the id is free.
        FactsBehindError, MergeUnderWayError: the same; asked again a moment later, it may go.
    """
    receiver_id, _ = await _receiver(transaction, wish.receiver)
    giver_id = await merges.find_survivor(transaction, wish.giver_id)
    gift = Gift(wish.gift_id, giver_id, receiver_id, wish.point_type, wish.points, wish.client_id, transaction.now)
    if not await gifts.claim_gift(transaction, gift):
        found = await gifts.find_gift(transaction, gift.gift_id)
        if found is None or found != gift:
            raise GiftIdTakenError
        balances = await ledger.load_balances(transaction, [giver_id], gift.point_type)
        return Given(found, balances[giver_id], is_repeat=True)
    if giver_id == receiver_id:
        raise GiftRefusedError("same_member")
    await _require_allowed(transaction, gift, wish.receiver, limits, programme)
    return await _give(transaction, gift, wish.clearance)


async def _receiver(transaction: Transaction, receiver: Spender) -> tuple[UUID, bool]:
    """Who is named, or answers for whom is named, and whether the identifier that names it is in use."""
    if receiver.member_id is not None:
        return await merges.find_survivor(transaction, receiver.member_id), True
    holder = await projections.find_holder(transaction, receiver.identifier_hashes)
    if holder is None:
        raise UnknownReceiverError
    return await merges.find_survivor(transaction, holder.member_id), holder.is_active


async def _require_allowed(
    transaction: Transaction, gift: Gift, receiver: Spender, limits: GiftLimits, programme: Programme
) -> None:
    """Lock the two, and judge what is committed of them by then."""
    receiver.presented.require_fresh(transaction.now)
    parties = await gifts.lock_parties(transaction, gift.giver_id, gift.receiver_id)
    if parties.giver is None:
        raise UnknownMemberError
    if parties.receiver is None:
        raise UnknownReceiverError
    receiver_id, is_identifier_active = await _receiver(transaction, receiver)
    if receiver_id != gift.receiver_id:
        raise StartAgainError("another member has the identifier meanwhile")
    require_may_give(parties.giver, parties.receiver, is_identifier_active=is_identifier_active)
    since = Since.of(transaction.now, programme.zone)
    limits.require(gift.points, await gifts.sum_given(transaction, gift, since))
    if gift.points > programme.fresh_facts.points_max:
        read = await read_to.load(transaction, MEMBERS.topic, programme.topic_partitions)
        programme.fresh_facts.require(gift.points, read, transaction.now)


async def _give(transaction: Transaction, gift: Gift, clearance: Clearance | None) -> Given:
    give = Give(gift.giver_id, gift.point_type, gift.reference, gift.receiver_id, "gift", gift.points)
    [outcome] = await ledger.post(transaction, [give])
    if outcome.command != give:  # another member answers for one of them, whose row is not locked and not counted
        raise MergeUnderWayError
    if isinstance(outcome, Refused):
        if outcome.reason != "insufficient_points":
            raise RuntimeError(f"the ledger refused to give: {outcome.reason}")
        if outcome.balance.debt:
            raise GiftRefusedError("debt_outstanding")
        raise GiftRefusedError("insufficient_points", outcome.balance.available)
    await outbox.record(transaction, [given_message(transaction, gift, outcome, clearance)])
    return Given(gift, outcome.balance)
