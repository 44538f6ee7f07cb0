"""What HTTP says: requests, strictly read, and answers."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from services.redemption.dated_schemas import ByDateAnswer
from services.redemption.domain.by_date import Dated
from services.redemption.domain.goods import CATEGORIES_MAX
from services.redemption.domain.holding import HOLD_SECONDS_DEFAULT, HOLD_SECONDS_MAX
from services.redemption.domain.redemption import Capture, Redemption, State
from services.redemption.domain.spendable import Spendable
from services.redemption.domain.statement import Line
from services.redemption.domain.usable import usable_in_words
from shared.ids import TOKEN_LENGTH_MAX
from shared.ledger import Balances, Usable
from shared.ledger.legs import Purpose
from shared.point_types import PointTypes
from shared.receipt_key import ReceiptKey, receipt_id_of
from shared.web import Body, CodeText, Flag, PositivePoints

HoldSeconds: TypeAlias = Annotated[
    StrictInt,
    Field(ge=1, le=HOLD_SECONDS_MAX, description="How long the points stay reserved, in seconds."),
]


class IdentifierBody(Body):
    """What a till reads."""

    type: Literal["card", "phone", "token"]
    value: str = Field(
        min_length=1,
        max_length=TOKEN_LENGTH_MAX,
        repr=False,
        description="A card's letters and digits; a phone, in the programme's country or with its prefix; a token.",
    )


class ShownIdentifierBody(IdentifierBody):
    """What a till reads, and how. A dynamic QR token is of type token."""

    entry_method: Literal["keyed", "swiped", "scanned"] = "scanned"


class HoldBody(Body):
    """Reserve points of a member, named by id or by what the till has read."""

    member_id: UUID | None = None
    identifier: ShownIdentifierBody | None = None
    code: str | None = Field(
        default=None,
        min_length=1,
        max_length=TOKEN_LENGTH_MAX,
        repr=False,
        description="A QR token that the member shows beside an identifier which spends only so.",
    )
    session_id: UUID | None = Field(
        default=None, description="The till conversation, as the QR token names it; a token of another one is refused."
    )
    points: PositivePoints
    point_type: CodeText | None = Field(
        default=None,
        description="Of which type; the programme's own, where it is left out. Types that only count are never spent.",
    )
    partner_id: CodeText | None = Field(
        default=None, description="At which partner. Needed from the programme's own clients; others may leave it out."
    )
    store_id: CodeText | None = Field(
        default=None, description="In which store. A till's own is known. Points may be limited to some stores."
    )
    categories: tuple[CodeText, ...] = Field(
        default=(),
        max_length=CATEGORIES_MAX,
        description="Of the goods, as the partner's receipts name them: points that are limited to some pay for no "
        "others.",
    )
    expires_in_seconds: HoldSeconds = HOLD_SECONDS_DEFAULT
    quote_id: UUID | None = Field(
        default=None,
        description="The quote of this basket, which prices the points. Needed while write-off rules are in force.",
    )
    redemption_id: UUID | None = Field(
        default=None,
        description="The till's own id, made before it asked: the same hold sent twice is one, and a void or a receipt "
        "that overtakes it is understood.",
    )

    @model_validator(mode="after")
    def _names_one_member(self) -> Self:
        if (self.member_id is None) == (self.identifier is None):
            raise PydanticCustomError("one_member", "Name the member by member_id or by identifier: one of the two")
        return self


class BalanceLookupBody(Body):
    """Whose balance: what a till has read, and how."""

    identifier: ShownIdentifierBody


class CaptureBody(Body):
    """Take reserved points for a receipt."""

    receipt: ReceiptKey
    points: PositivePoints | None = Field(default=None, description="All that is reserved, where it is left out.")
    more: Flag = Field(default=False, description="Another capture follows: what is left stays reserved.")


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class BalanceAnswer(_Answer):
    """Points of one type: to spend, reserved, earned but not to be spent yet, owed."""

    available: int
    held: int
    pending: int
    debt: int

    @classmethod
    def of(cls, balances: Balances) -> Self:
        """The answer for balances."""
        return cls(available=balances.available, held=balances.held, pending=balances.pending, debt=balances.debt)


class UsableAnswer(_Answer):
    """Points that may be spent alike. A list that is empty limits nothing; a day is the first or last of a window."""

    points: int
    partners: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    dates: tuple[tuple[date, date], ...] = ()
    text: str

    @classmethod
    def of(cls, usable: Usable) -> Self:
        """The answer for points with the same limits."""
        limits, points, text = usable.limits, usable.available, usable_in_words(usable)
        if limits is None:
            return cls(points=points, text=text)
        named = {kind: getattr(limits, kind) for kind in ("partners", "stores", "categories", "dates")}
        return cls(points=points, text=text, **named)


_NOT_ASKED: Mapping[str, Dated] = {}


def _is_absent(value: object) -> bool:
    return value is None


class TypeBalanceAnswer(BalanceAnswer):
    """A balance, and of which point type. ``pooled`` is what the member may spend of others in its household.

    ``use`` status: such points only count, and none of them is spendable. ``exponent``: how many decimals are shown of
    amounts, which are whole numbers of the smallest unit here as everywhere.
    """

    point_type: str
    use: Literal["spend", "status"]
    exponent: int
    pooled: int = Field(description="Of others in the household, beside what is available.")
    spendable: int = Field(description="In all: available and pooled.")
    usable: list[UsableAnswer] = Field(
        description="What of all that may be spent on what: first what is free of limits."
    )
    available_by_expiry: ByDateAnswer | None = Field(
        default=None,
        exclude_if=_is_absent,
        description="With by_date: what is available, by the first day on which it may no longer be spent.",
    )
    pending_by_date: ByDateAnswer | None = Field(
        default=None,
        exclude_if=_is_absent,
        description="With by_date: what is pending, by the day from which it may be spent.",
    )

    @classmethod
    def of_type(
        cls, point_type: str, balances: Balances, spendable: Spendable, types: PointTypes, dated: Dated | None
    ) -> Self:
        """The answer for balances of a type, and for their days where these were asked for."""
        return cls(
            point_type=point_type,
            use="spend" if types.is_spent(point_type) else "status",
            exponent=types.exponent_of(point_type),
            available=balances.available,
            held=balances.held,
            pending=balances.pending,
            debt=balances.debt,
            pooled=spendable.pooled,
            spendable=spendable.available + spendable.pooled,
            usable=[UsableAnswer.of(one) for one in spendable.usable],
            available_by_expiry=None if dated is None else ByDateAnswer.of(dated.available),
            pending_by_date=None if dated is None else ByDateAnswer.of(dated.pending),
        )


class MemberBalanceAnswer(_Answer):
    """What a member has, by point type."""

    member_id: UUID
    balances: list[TypeBalanceAnswer]

    @classmethod
    def of(
        cls,
        member_id: UUID,
        balances: Mapping[str, Balances],
        spendable: Mapping[str, Spendable],
        types: PointTypes,
        dated: Mapping[str, Dated] = _NOT_ASKED,
    ) -> Self:
        """The answer for a member's balances and what may be spent, by point type; ``dated`` where it was asked for."""
        answers = [
            TypeBalanceAnswer.of_type(code, balances[code], spendable[code], types, dated.get(code))
            for code in sorted(balances)
        ]
        return cls(member_id=member_id, balances=answers)


class StatementLineAnswer(_Answer):
    """One line. ``points`` is signed: what it changed in the available balance. ``moved_points`` is how many it moved,
    which may change nothing that is available (points that were reserved before are spent)."""

    at: datetime
    kind: Purpose
    text: str
    points: int
    moved_points: int
    available_after: int | None = Field(description="Just after this line. Absent for a partner's client.")
    partner_id: str | None
    receipt_id: str | None
    redemption_id: UUID | None

    @classmethod
    def of(cls, line: Line) -> Self:
        """The answer for a line."""
        return cls(
            at=line.at,
            kind=line.movement.newest.purpose,
            text=line.words,
            points=line.movement.change,
            moved_points=line.movement.points,
            available_after=line.available_after,
            partner_id=line.partner_id,
            receipt_id=line.receipt_id,
            redemption_id=line.redemption_id,
        )


class CaptureAnswer(_Answer):
    """What one receipt took. ``late``: not all of it had been reserved; ``uncovered_points`` the balance lacked.
    ``refunded_points``, of ``points``, were given back since."""

    receipt_id: str
    points: int
    late: bool
    uncovered_points: int
    released_points: int
    refunded_points: int

    @classmethod
    def of(cls, capture: Capture) -> Self:
        """The answer for a capture."""
        return cls(
            receipt_id=receipt_id_of(capture.receipt_key),
            points=capture.points,
            late=capture.is_late,
            uncovered_points=capture.uncovered_points,
            released_points=capture.released_points,
            refunded_points=capture.refunded_points,
        )


class RedemptionAnswer(_Answer):
    """A redemption as it stands. ``open_points`` are still reserved. ``pooled_points``, of those held, were others' in
    the member's household. Of all, ``exponent`` decimals are shown. ``value_minor``: what those held pay.
    """

    redemption_id: UUID
    state: State
    member_id: UUID | None
    partner_id: str | None
    point_type: str
    exponent: int
    held_points: int
    open_points: int
    captured_points: int
    uncovered_points: int
    held_at: datetime | None
    expires_at: datetime | None
    closed_at: datetime | None
    session_id: UUID | None
    pooled_points: int
    value_minor: int | None

    @classmethod
    def of(cls, redemption: Redemption, types: PointTypes, **more: Any) -> Self:
        """The answer for a redemption; ``more`` are the fields that a kind of answer adds."""
        return cls(
            redemption_id=redemption.redemption_id,
            state=redemption.state,
            member_id=redemption.member_id,
            partner_id=redemption.partner_id,
            point_type=redemption.point_type,
            exponent=types.exponent_of(redemption.point_type),
            held_points=redemption.held_points,
            open_points=redemption.open_points,
            captured_points=redemption.captured_points,
            uncovered_points=redemption.uncovered_points,
            held_at=redemption.held_at,
            expires_at=redemption.expires_at,
            closed_at=redemption.closed_at,
            session_id=redemption.session_id,
            pooled_points=redemption.pooled_points,
            value_minor=redemption.value_minor,
            **more,
        )


class RedemptionDetailAnswer(RedemptionAnswer):
    """A redemption and what receipts took of it, oldest first."""

    captures: list[CaptureAnswer]


class HeldAnswer(RedemptionAnswer):
    """The points are reserved."""

    balance: BalanceAnswer


class CapturedAnswer(RedemptionAnswer):
    """The points are taken, by this request or by its receipt before."""

    capture: CaptureAnswer
    balance: BalanceAnswer


class VoidedAnswer(RedemptionAnswer):
    """The points are let go. No balance where the void came before its hold: nothing was reserved."""

    released_points: int
    balance: BalanceAnswer | None
