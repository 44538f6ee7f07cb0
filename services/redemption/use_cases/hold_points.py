"""Reserve points for a checkout."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.redemption.domain.confirming import Clearance, OwnerChangedError
from services.redemption.domain.errors import UnknownMemberError
from services.redemption.domain.goods import Goods
from services.redemption.domain.holding import (
    Decline,
    HoldRequest,
    Paid,
    Reserve,
    Stands,
    decide_hold,
    declined_by_ledger,
)
from services.redemption.domain.pooling import shared_out
from services.redemption.domain.presenting import NOTHING_SHOWN, Presented
from services.redemption.domain.redemption import Redemption, State
from services.redemption.programme import Programme
from services.redemption.repository import merges, new_redemptions, receipts, redemptions
from services.redemption.use_cases.baskets import baskets_of
from services.redemption.use_cases.lend import lenders_to
from services.redemption.use_cases.meet_spender import meet_spender
from services.redemption.use_cases.messages import declined_message, held_message, named
from services.redemption.use_cases.price_hold import price_hold
from services.redemption.use_cases.take_points import balances_after, own_balances, reserving
from shared import ledger, outbox
from shared.database import Transaction, read_to
from shared.events.catalogue import MEMBERS
from shared.ids import new_id
from shared.ledger import Balances, Basket, Refused


@dataclass(frozen=True, slots=True)
class Spender:
    """Whose points: a member's id, or the hashes that may stand for what the till has read, one of the two; and what
    was shown there.
    """

    member_id: UUID | None = None
    identifier_hashes: tuple[str, ...] = ()
    presented: Presented = NOTHING_SHOWN


@dataclass(frozen=True, slots=True)
class Held:
    """The points are reserved, now or by the same request before."""

    redemption: Redemption
    balance: Balances


@dataclass(frozen=True, slots=True)
class Declined:
    """The hold was refused. ``available`` is what the member could spend on these goods, with what others lend, where
    the ledger was asked."""

    decline: Decline
    available: int | None = None


async def hold_points(
    transaction: Transaction,
    spender: Spender,
    request: HoldRequest,
    programme: Programme,
    redemption_id: UUID | None = None,
) -> Held | Declined | Paid:
    """Reserve points, or say why not; either is remembered and published, by the transaction's last statement.

    ``redemption_id`` is the till's own, made before it asked; the same hold under the same id is one hold. What the
    member lacks is reserved of those of its household who lend to it. Locks the redemption, then the member and the
    lenders, then their accounts in the ledger, each to the commit. Whoever owes points has none of its own; where the
    programme says so, it spends none of others' either. All of it is about one point type, the request's or the
    programme's own: what is owed of another type stops nothing.

    Raises:
        UnknownMemberError, RedemptionIdTakenError, AlreadyCapturedError, HoldNotOpenError: nothing was changed.
        InvalidQrTokenError, OtherSessionError, OtherMembersCodeError: what was shown does not count.
        OwnerChangedError: fraud was asked about another member.
        QuoteNeededError, UnknownQuoteError, NotQuotedError, PriceChangedError: nothing was changed.
        FactsBehindError: nothing was changed, and nothing is remembered: asked again a moment later, it may go.
    """
    point_type, presented = request.point_type or programme.point_type, spender.presented
    request = replace(request, point_type=point_type)
    if redemption_id is None:
        redemption, has_waiting_receipt = Redemption(new_id(), point_type), False  # nobody else can know this id yet
    else:
        met = await redemptions.meet_redemptions(transaction, {redemption_id: point_type})
        redemption = met[redemption_id]
        has_waiting_receipt = redemption.state is State.AWAITED and await receipts.is_waited_for(
            transaction, redemption_id
        )
    if presented.session is None or presented.session != redemption.session_id:  # else it is the same hold, sent again
        presented.require_fresh(transaction.now)
    today = transaction.now.astimezone(programme.zone).date()
    facts = await meet_spender(transaction, spender.member_id, spender.identifier_hashes, request, point_type, today)
    if facts is None:
        raise UnknownMemberError
    member = facts.member
    await _require_cleared(transaction, request.clearance, member.member_id)
    redemption = await _under_survivor(transaction, redemption, member.member_id)
    presented.require_same_member(member.member_id)
    if presented.session is not None:
        spent_by = await new_redemptions.find_by_sessions(transaction, [presented.session])
        is_spent = spent_by.get(presented.session) not in (None, redemption.redemption_id)
        member = member.shown(presented, is_session_spent=is_spent)
    else:
        member = member.shown(presented)
    decision = decide_hold(redemption, request, member, transaction.now, has_waiting_receipt=has_waiting_receipt)
    match decision:
        case Reserve():
            if request.points > programme.fresh_facts.points_max:  # most holds are spared the question
                read_to_at = await read_to.load(transaction, MEMBERS.topic, programme.topic_partitions)
                programme.fresh_facts.require(request.points, read_to_at, transaction.now)
            price = await price_hold(transaction, request, member.member_id, programme, facts.quote)
            decision = Reserve(price.put_on(decision.redemption, presented))
            lenders = await lenders_to(transaction, member.member_id, facts.locked) if price.may_be_lent else []
            goods = Goods(transaction.now, request.store_id, request.categories)
            [said] = await baskets_of(transaction, [(request.partner_id, goods)], programme.zone)
            basket = None if said is None else price.quoted_in(said)
            return await _reserve(transaction, decision, request, lenders, basket, programme)
        case Decline():
            return _decline(transaction, decision, None)
        case Paid():
            redemptions.save_redemption_later(transaction, decision.redemption)
            return decision
        case Stands(redemption=stands):
            balances = await ledger.load_balances(transaction, [member.member_id], point_type)
            return Held(stands, balances[member.member_id])


def refused_by_ledger(reserve: Reserve, refused: Refused, programme: Programme, now: datetime) -> Decline:
    """What a reservation of the member's own points becomes when the ledger refuses it."""
    if refused.reason not in ("insufficient_points", "too_many_lots"):
        raise RuntimeError(f"the ledger refused to reserve: {refused.reason}")
    owes = programme.debt_stops_spending and refused.balance.debt
    return declined_by_ledger(reserve, "debt_outstanding" if owes else refused.reason, now)


async def was_held(transaction: Transaction, redemption_id: UUID | None) -> bool:
    """Whether points were reserved or taken under this id, or it is spent: a hold under it reserves none any more."""
    found = None if redemption_id is None else await redemptions.find_redemption(transaction, redemption_id)
    return found is not None and found.state not in (State.AWAITED, State.DECLINED)


async def _require_cleared(transaction: Transaction, clearance: Clearance | None, member_id: UUID) -> None:
    """Whose points fraud was asked about, and the code was sent to, is whose they are."""
    if clearance is None or clearance.member_id == member_id:
        return
    if await merges.find_survivor(transaction, clearance.member_id) != member_id:
        raise OwnerChangedError


async def _under_survivor(transaction: Transaction, redemption: Redemption, member_id: UUID) -> Redemption:
    """The same redemption; where it was held by one who was merged into this member since, it is this member's."""
    if redemption.member_id is None or redemption.member_id == member_id:
        return redemption
    survivor_id = await merges.find_survivor(transaction, redemption.member_id)
    return replace(redemption, member_id=member_id) if survivor_id == member_id else redemption


async def _reserve(
    transaction: Transaction,
    reserve: Reserve,
    request: HoldRequest,
    lenders: Sequence[UUID],
    basket: Basket | None,
    programme: Programme,
) -> Held | Declined:
    redemption = reserve.redemption
    member_id, _ = named(redemption)
    available: int | None = None
    if lenders:
        owners = [member_id, *lenders]
        purses = await ledger.lock_purses(transaction, owners, redemption.point_type, basket=basket)
        available = sum(purse.available for purse in purses)
        if programme.debt_stops_spending and purses[0].debt:
            return _decline(transaction, declined_by_ledger(reserve, "debt_outstanding", transaction.now), available)
        redemption = shared_out(redemption, purses) or redemption  # too little: the ledger says so of the member's own
    asked = reserving(redemption, member_id, basket)
    posted = await ledger.post_together(transaction, [command for _, command in asked], written_later=True)
    if isinstance(posted, Refused):
        decline = refused_by_ledger(reserve, posted, programme, transaction.now)
        if available is None:
            usable = await ledger.load_usable(transaction, [member_id], redemption.point_type)
            available = sum(one.available for one in usable if one.pays_for(basket))
        return _decline(transaction, decline, available)
    own, pooled = balances_after(asked, posted)
    [balance] = await own_balances(transaction, [(redemption.point_type, member_id, own)])
    redemptions.save_redemption_later(transaction, redemption)
    told = held_message(transaction, redemption, balance, pooled, request.clearance, request.store_id)
    outbox.record_later(transaction, told)
    return Held(redemption, balance)


def _decline(transaction: Transaction, decline: Decline, available: int | None) -> Declined:
    redemptions.save_redemption_later(transaction, decline.redemption)
    outbox.record_later(transaction, declined_message(transaction, decline))
    return Declined(decline, available)
