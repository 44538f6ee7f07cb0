"""What HTTP says of holds, captures and voids."""

from datetime import datetime
from typing import Annotated, Any, Self, TypeAlias
from uuid import UUID

from pydantic import Field, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from services.redemption.domain.goods import CATEGORIES_MAX
from services.redemption.domain.hold_lives import CHANNEL_DEFAULT, HOLD_SECONDS_MAX
from services.redemption.domain.redemption import Capture, Redemption, State
from services.redemption.schemas.answer import Answer
from services.redemption.schemas.balances import BalanceAnswer
from services.redemption.schemas.challenges import ConfirmationCode, ConfirmationPin, refuse_both
from services.redemption.schemas.identifiers import ShownIdentifierBody
from shared.ids import TOKEN_LENGTH_MAX
from shared.point_types import PointTypes
from shared.receipt_key import ReceiptKey, receipt_id_of
from shared.web import Body, CodeText, Flag, PositivePoints

HoldSeconds: TypeAlias = Annotated[
    StrictInt,
    Field(
        ge=1,
        le=HOLD_SECONDS_MAX,
        description="How long the points stay reserved, in seconds; as long as its channel says, if left out.",
    ),
]


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
        default=None,
        description="The till conversation: a QR token's own, or the one that a checkout opened. A token or a quote of "
        "another one is refused.",
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
    channel: CodeText = Field(
        default=CHANNEL_DEFAULT,
        description="What the checkout comes through, one of the programme's channels: it says how long a hold lives.",
    )
    expires_in_seconds: HoldSeconds | None = None
    quote_id: UUID | None = Field(
        default=None,
        description="The quote of this basket, which prices the points. Needed while write-off rules are in force.",
    )
    confirmation_code: ConfirmationCode = None
    pin: ConfirmationPin = None
    redemption_id: UUID | None = Field(
        default=None,
        description="The till's own id, made before it asked: the same hold sent twice is one, and a void or a receipt "
        "that overtakes it is understood.",
    )

    @model_validator(mode="after")
    def _names_one_member(self) -> Self:
        if (self.member_id is None) == (self.identifier is None):
            raise PydanticCustomError("one_member", "Name the member by member_id or by identifier: one of the two")
        refuse_both(self.confirmation_code, self.pin)
        return self


class CaptureBody(Body):
    """Take reserved points for a receipt."""

    receipt: ReceiptKey
    points: PositivePoints | None = Field(default=None, description="All that is reserved, where it is left out.")
    more: Flag = Field(default=False, description="Another capture follows: what is left stays reserved.")


class ShrinkBody(Body):
    """Keep so many of the reserved points, and let the rest go."""

    points: PositivePoints = Field(description="What stays reserved. To let everything go, void the hold.")


class CaptureAnswer(Answer):
    """What one receipt took. ``late``: not all of it had been reserved; ``uncovered_points`` the balance lacked.
    ``refunded_points``, of ``points``, were given back since; ``debt_points``, of them, the member owes instead."""

    receipt_id: str
    points: int
    late: bool
    uncovered_points: int
    released_points: int
    refunded_points: int
    debt_points: int

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
            debt_points=capture.debt_points,
        )


class RedemptionAnswer(Answer):
    """A redemption as it stands. ``open_points`` are still reserved. ``pooled_points``, of those held, were others' in
    the member's household. Of all, ``exponent`` decimals are shown. ``value_minor``: what those held pay.
    ``let_go_points``, of those held, went back while others stayed reserved. ``is_taken_in_parts``: by several
    receipts.
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
    let_go_points: int
    is_taken_in_parts: bool

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
            let_go_points=redemption.let_go_points,
            is_taken_in_parts=redemption.is_taken_in_parts,
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
    """The points, or so many of them, are let go. No balance where the void came before its hold: nothing was
    reserved."""

    released_points: int
    balance: BalanceAnswer | None
