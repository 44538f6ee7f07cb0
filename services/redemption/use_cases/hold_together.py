"""Reserve points for several checkouts in one transaction: where none needs more than others do, five statements for
all of them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias
from uuid import UUID

from services.redemption.domain.confirming import Clearance
from services.redemption.domain.errors import RedemptionError
from services.redemption.domain.goods import Goods
from services.redemption.domain.hold_wish import HoldWish
from services.redemption.domain.holding import Decline, HoldRequest, Reserve, decide_hold
from services.redemption.domain.redemption import Redemption
from services.redemption.programme import Programme
from services.redemption.repository import new_redemptions, redemptions, spenders
from services.redemption.repository.spenders import LockedSpender, Wanted
from services.redemption.use_cases.baskets import baskets_of
from services.redemption.use_cases.hold_points import Declined, Held, Spender, refused_by_ledger
from services.redemption.use_cases.messages import declined_message, held_message, named
from services.redemption.use_cases.price_hold import price_at_once
from services.redemption.use_cases.take_points import reserve_of
from shared import ledger, outbox
from shared.database import Transaction
from shared.ids import new_id
from shared.ledger import Basket, Refused, Reserved
from shared.outbox import Message
from shared.qr_tokens import InvalidQrTokenError
from shared.telemetry.trace_context import traced
from shared.web import Left


class HoldAsked(NamedTuple):
    """One of several: whose points, what for, under which id where the till made one, who let them go where that was
    asked, and what it follows from."""

    spender: Spender
    wish: HoldWish
    redemption_id: UUID | None = None
    clearance: Clearance | None = None
    traceparent: str | None = None


class _Hold(NamedTuple):
    """One of them at this time. No ``redemption`` where its id is somebody's already, or its token's second."""

    spender: Spender
    request: HoldRequest
    redemption: Redemption | None
    traceparent: str | None


_Decision: TypeAlias = Reserve | Decline | Left
_Concluded: TypeAlias = Held | Declined | Left


async def hold_together(
    transaction: Transaction, asked: Sequence[HoldAsked], programme: Programme, *, waits: bool = False
) -> list[Held | Declined | Left]:
    """What becomes of each, decided in their order, of one member's each seeing those before it; written and published
    by the transaction's last statement.

    Each is decided by the rules of ``hold_points``. Locks redemptions of tills' own ids, which are made, then members,
    then their accounts in the ledger, and passes over those that others have locked (``Left.BUSY``), unless it
    ``waits``. ``Left.ALONE`` asks for more than others do: an id that is there already, a member with a household or
    who was merged away, large amounts, a quote that has expired, an account that is not there yet, limits that keep
    points from a basket; and whatever ``hold_points`` refuses with an error. What is left leaves no trace.
    """
    now, today = transaction.now, transaction.now.astimezone(programme.zone).date()
    made = await new_redemptions.make_redemptions(transaction, _own_ids(asked, programme))
    holds = _holds(asked, made, programme, now)
    locked = await spenders.lock_several(transaction, [_wanted(one, programme) for one in holds], today, waits=waits)
    sessions = [one.spender.presented.session for one in holds]
    spent = await new_redemptions.find_by_sessions(
        transaction, {session for session in sessions if session is not None}
    )
    decisions = [_decide(one, member, spent, programme, now) for one, member in zip(holds, locked, strict=True)]
    reserved = iter(await _reserve(transaction, holds, decisions, programme, waits=waits))
    concluded = [
        _concluded(decision, next(reserved) if isinstance(decision, Reserve) else None, programme, now)
        for decision in decisions
    ]
    _write(transaction, holds, concluded)
    left = {one.redemption_id for one, answer in zip(asked, concluded, strict=True) if isinstance(answer, Left)}
    new_redemptions.forget_redemptions_later(transaction, made & left)
    return concluded


def _own_ids(asked: Sequence[HoldAsked], programme: Programme) -> dict[UUID, str]:
    """The tills' own ids, with the types of their points."""
    return {
        one.redemption_id: one.wish.point_type or programme.point_type for one in asked if one.redemption_id is not None
    }


def _holds(asked: Sequence[HoldAsked], made: set[UUID], programme: Programme, now: datetime) -> list[_Hold]:
    """Of an id or a token that several name, none is decided here: which of them is first is not ours to say."""
    ids = Counter(one.redemption_id for one in asked)
    tokens = Counter(one.spender.presented.session for one in asked)
    holds = []
    for spender, wish, own_id, clearance, traceparent in asked:
        token = spender.presented.session
        is_free = own_id is None or (own_id in made and ids[own_id] == 1)
        redemption = None
        if is_free and (token is None or tokens[token] == 1):
            redemption = Redemption(own_id or new_id(), wish.point_type or programme.point_type)
        holds.append(_Hold(spender, wish.request(now, clearance), redemption, traceparent))
    return holds


def _wanted(one: _Hold, programme: Programme) -> Wanted:
    spender, request = one.spender, one.request
    point_type = request.point_type or programme.point_type
    return Wanted(spender.member_id, spender.identifier_hashes, request.partner_id, point_type, request.quote_id)


def _decide(
    one: _Hold, locked: LockedSpender | Left, spent: Mapping[UUID, UUID], programme: Programme, now: datetime
) -> _Decision:
    """Whether points may be reserved, as far as that is known before the ledger is asked."""
    if isinstance(locked, Left):
        return locked
    (member, quote), (spender, request, redemption, _) = locked, one
    presented, clearance = spender.presented, request.clearance
    if redemption is None or (clearance is not None and clearance.member_id != member.member_id):
        return Left.ALONE
    try:
        presented.require_fresh(now)
        presented.require_same_member(member.member_id)
        shown = member.shown(presented, is_session_spent=presented.session in spent)
        decision = decide_hold(redemption, request, shown, now, has_waiting_receipt=False)
        if isinstance(decision, Decline):
            return decision
        if not isinstance(decision, Reserve) or request.points > programme.fresh_facts.points_max:
            return Left.ALONE
        price = price_at_once(request, member.member_id, programme, quote, now)
        return Left.ALONE if price is None else Reserve(price.put_on(decision.redemption, presented))
    except (RedemptionError, InvalidQrTokenError):
        return Left.ALONE


async def _reserve(
    transaction: Transaction,
    holds: Sequence[_Hold],
    decisions: Sequence[_Decision],
    programme: Programme,
    *,
    waits: bool,
) -> list[Reserved | None]:
    """What the ledger says of those that may be reserved."""
    may = [(one, one_hold.request) for one, one_hold in zip(decisions, holds, strict=True) if isinstance(one, Reserve)]
    if not may:
        return []
    sold = [(request.partner_id, Goods(transaction.now, request.store_id, request.categories)) for _, request in may]
    baskets = await baskets_of(transaction, sold, programme.zone)
    commands = [_command(reserve.redemption, basket) for (reserve, _), basket in zip(may, baskets, strict=True)]
    return await ledger.reserve_free(transaction, commands, waits=waits)


def _command(redemption: Redemption, basket: Basket | None) -> ledger.Reserve:
    member_id, _ = named(redemption)
    return reserve_of(redemption, member_id, redemption.redemption_id, redemption.held_points, basket)


def _concluded(decision: _Decision, reserved: Reserved | None, programme: Programme, now: datetime) -> _Concluded:
    """What becomes of a hold, once the ledger has answered where it was asked."""
    match decision:
        case Left():
            return decision
        case Decline():
            return Declined(decision)
    if reserved is None:
        return Left.BUSY
    outcome, available = reserved
    if not isinstance(outcome, Refused):
        return Held(decision.redemption, outcome.balance)
    if available is None:
        return Left.ALONE
    return Declined(refused_by_ledger(decision, outcome, programme, now), available)


def _write(transaction: Transaction, holds: Sequence[_Hold], concluded: Sequence[_Concluded]) -> None:
    rows: list[Redemption] = []
    messages: list[Message] = []
    for (_, request, _, traceparent), answer in zip(holds, concluded, strict=True):
        with traced(traceparent):
            match answer:
                case Held(redemption=redemption, balance=balance):
                    rows.append(redemption)
                    told = held_message(transaction, redemption, balance, (), request.clearance, request.store_id)
                    messages.append(told)
                case Declined(decline=decline):
                    rows.append(decline.redemption)
                    messages.append(declined_message(transaction, decline))
                case Left():
                    pass
    redemptions.save_redemptions_later(transaction, rows)
    outbox.record_later(transaction, *messages)
