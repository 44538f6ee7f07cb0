"""Whether points may be reserved, and whether a reservation may be let go."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from services.redemption.domain.confirming import Clearance
from services.redemption.domain.errors import (
    AlreadyCapturedError,
    FactsBehindError,
    HoldNotOpenError,
    RedemptionIdTakenError,
)
from services.redemption.domain.partner_funds import UNBOUND, Funds, why_not_funded
from services.redemption.domain.partner_funds import Reason as FundsReason
from services.redemption.domain.partner_standing import Reason as PartnerReason
from services.redemption.domain.partner_standing import Standing, why_not_spent
from services.redemption.domain.presenting import NOTHING_SHOWN, Presented, PresentingReason, why_not_presented
from services.redemption.domain.redemption import Redemption, State
from services.redemption.domain.standing import DECLINES, KnownStatus, StatusReason
from services.redemption.domain.write_off.quoting import Checkout
from shared.ledger import Basket

DeclineReason = Literal[
    "insufficient_points",
    "too_many_lots",
    "debt_outstanding",
    StatusReason,
    "identifier_blocked",
    PartnerReason,
    PresentingReason,
    FundsReason,
]


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """A till's wish to reserve ``points`` (positive) for one checkout, until ``expires_at``.

    ``store_id`` and ``categories`` are of the goods, as far as the till says: points may be limited to some.
    ``point_type`` None: the redemption's own, which is the programme's unless something else was said before.
    ``quote_id`` names the quote by which they are priced. ``is_taken_in_parts`` as in the redemption. ``clearance``:
    who let them go, where that was asked.
    """

    partner_id: str
    points: int
    expires_at: datetime
    store_id: str | None = None
    categories: frozenset[str] = frozenset()
    point_type: str | None = None
    quote_id: UUID | None = None
    is_taken_in_parts: bool = False
    clearance: Clearance | None = None


@dataclass(frozen=True, slots=True)
class HoldPrice:
    """What the points of a hold pay, where it was quoted, whether others of the household may lend to it, and in which
    till conversation it was quoted; ``goods`` are what was quoted."""

    value_minor: int | None = None
    may_be_lent: bool = True
    session_id: UUID | None = None
    quote_id: UUID | None = None
    goods: Checkout | None = None

    def put_on(self, redemption: Redemption, presented: Presented) -> Redemption:
        """The redemption at this price, in its session.

        Raises:
            OtherSessionError: the till says another one than the quote's.
        """
        session_id = presented.session_with(self.session_id)
        return replace(redemption, value_minor=self.value_minor, session_id=session_id, quote_id=self.quote_id)

    def quoted_in(self, said: Basket) -> Basket:
        """The basket of the hold: what the till says of it with what was quoted, whose points were counted by that."""
        if self.goods is None:
            return said
        return replace(
            said, store_id=said.store_id or self.goods.store, categories=said.categories | self.goods.categories
        )


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What decides whether a member may spend, as this service's projections know it; ``partner`` is where the partner
    stands at whose till it is, None while nothing is known of it, and ``funds`` what its contracts say.
    ``is_session_spent``: points were reserved in this till conversation before, by another redemption.
    """

    member_id: UUID
    status: KnownStatus
    is_identifier_blocked: bool = False
    partner: Standing | None = None
    presented: Presented = NOTHING_SHOWN
    is_session_spent: bool = False
    funds: Funds = UNBOUND

    def shown(self, presented: Presented, *, is_session_spent: bool = False) -> "MemberFacts":
        """The same, of whom this was shown."""
        return replace(self, presented=presented, is_session_spent=is_session_spent)


@dataclass(frozen=True, slots=True)
class FreshFacts:
    """Reserving more than ``points_max`` needs facts about members that were read to at most ``age_max`` ago.

    A member who was suspended, or a card that was blocked, a minute ago must not empty an account because this service
    has not heard of it yet; a small purchase goes on.
    """

    points_max: int
    age_max: timedelta = timedelta(seconds=10)

    def require(self, points: int, members_read_to: datetime | None, now: datetime) -> None:
        """Raises FactsBehindError. ``members_read_to`` is None where a part of the topic was never read to its end."""
        if points > self.points_max and (members_read_to is None or now - members_read_to > self.age_max):
            raise FactsBehindError(self.points_max)


@dataclass(frozen=True, slots=True)
class Reserve:
    """Reserve ``redemption.held_points``; it stands so once the ledger has reserved them."""

    redemption: Redemption


@dataclass(frozen=True, slots=True)
class Decline:
    """Refuse, and remember it: nothing is reserved."""

    redemption: Redemption
    points: int
    reason: DeclineReason


@dataclass(frozen=True, slots=True)
class Stands:
    """The very same hold is open already: answer with it, change nothing."""

    redemption: Redemption


@dataclass(frozen=True, slots=True)
class Paid:
    """A receipt without a member has already paid with this redemption; the hold says whose points they were.

    Nothing is reserved: the receipt takes its points as soon as it is tried again.
    """

    redemption: Redemption


HoldDecision = Reserve | Decline | Stands | Paid


def decide_hold(
    redemption: Redemption, request: HoldRequest, member: MemberFacts, now: datetime, *, has_waiting_receipt: bool
) -> HoldDecision:
    """Whether the points may be reserved; whether there are enough is the ledger's answer.

    Raises:
        RedemptionIdTakenError: the id stands for another partner's redemption, or for another hold of this one: of
            other points, or of another type.
        AlreadyCapturedError: a receipt came before its hold and has taken the points.
        HoldNotOpenError: the hold was let go before it came, or has expired.
    """
    if redemption.partner_id not in (None, request.partner_id):
        raise RedemptionIdTakenError
    point_type = request.point_type or redemption.point_type
    match redemption.state:
        case State.HELD:
            held = (redemption.member_id, redemption.held_points, redemption.point_type)
            if held == (member.member_id, request.points, point_type):
                return Stands(redemption)
            raise RedemptionIdTakenError
        case State.CAPTURED:
            raise AlreadyCapturedError
        case State.VOIDED | State.EXPIRED:
            raise HoldNotOpenError(redemption.state)
        case State.AWAITED | State.DECLINED:
            pass
    named = replace(redemption, partner_id=request.partner_id, member_id=member.member_id, point_type=point_type)
    if has_waiting_receipt:
        return Paid(named)
    reason = _decline_reason(member, request.points)
    if reason is not None:
        return Decline(replace(named, state=State.DECLINED, closed_at=now), request.points, reason)
    return Reserve(
        replace(
            named,
            state=State.HELD,
            held_points=request.points,
            open_points=request.points,
            held_at=now,
            expires_at=request.expires_at,
            closed_at=None,
            session_id=member.presented.session,
            is_session_shown=member.presented.session is not None,
            is_taken_in_parts=request.is_taken_in_parts,
        )
    )


def declined_by_ledger(reserve: Reserve, reason: DeclineReason, now: datetime) -> Decline:
    """What a reservation becomes when the ledger refuses it."""
    declined = replace(
        reserve.redemption,
        state=State.DECLINED,
        held_points=0,
        open_points=0,
        held_at=None,
        expires_at=None,
        closed_at=now,
        session_id=None,
        is_session_shown=False,
        shares=(),
        value_minor=None,
        is_taken_in_parts=False,
    )
    return Decline(declined, reserve.redemption.held_points, reason)


@dataclass(frozen=True, slots=True)
class LetGo:
    """Give ``points`` back to the balance; the redemption stands as given once that is done."""

    redemption: Redemption
    points: int


def decide_void(redemption: Redemption, now: datetime) -> LetGo:
    """Let go of what is still reserved.

    Raises:
        HoldNotOpenError: there is nothing reserved any more: captured, let go, expired or declined before.
    """
    if redemption.state is not State.HELD:
        raise HoldNotOpenError(redemption.state)
    return _let_go(redemption, State.VOIDED, now)


def decide_early_void(redemption: Redemption, partner_id: str, now: datetime) -> Redemption:
    """A void that came before its hold: the id is spent, so that the hold is refused when it comes."""
    return replace(redemption, state=State.VOIDED, partner_id=partner_id, closed_at=now)


def decide_expiry(redemption: Redemption, purchases_read_to: datetime, now: datetime) -> LetGo | None:
    """Let go of a hold whose time is over; None while it is not, or while its receipt may still be unread.

    ``purchases_read_to``: every purchase that was on the topic at that time has been read.
    """
    if redemption.state is not State.HELD or redemption.expires_at is None:
        return None
    if min(now, purchases_read_to) < redemption.expires_at:
        return None
    return _let_go(redemption, State.EXPIRED, now)


def _let_go(redemption: Redemption, state: State, now: datetime) -> LetGo:
    shares = tuple(share.let_go() for share in redemption.shares)
    let_go = replace(redemption, state=state, open_points=0, closed_at=now, shares=shares)
    return LetGo(let_go, redemption.open_points)


def why_not_at_all(member: MemberFacts) -> DeclineReason | None:
    """Why no hold of this member would stand there, of whatever amount; None where some might."""
    funds = member.funds._replace(minimum_points=1, step_points=1)
    return _decline_reason(replace(member, funds=funds), 1)


def _decline_reason(member: MemberFacts, points: int) -> DeclineReason | None:
    if (reason := why_not_spent(member.partner)) is not None:
        return reason
    if member.is_identifier_blocked:
        return "identifier_blocked"
    if (by_status := DECLINES[member.status]) is not None:
        return by_status
    by_identifier = why_not_presented(member.presented, points, is_session_spent=member.is_session_spent)
    return by_identifier or why_not_funded(member.funds, points)
