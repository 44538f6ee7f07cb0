"""What HTTP says of quotes of returns."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.redemption.domain.return_quote import LineBack, PointsBack
from services.redemption.domain.write_off.quoting import THOUSANDTHS
from services.redemption.gateways.return_previews import ReturnPreview
from services.redemption.schemas.answer import Answer
from services.redemption.schemas.quotes import LINES_MAX
from services.redemption.use_cases.quote_return import ToldReturn
from shared.receipt_key import ReceiptKey
from shared.web import Body, CodeText, PositiveQuantity, WholeNumber


class ReturnedLineBody(Body):
    """So much of a line of the receipt."""

    line_id: WholeNumber
    quantity: PositiveQuantity = Decimal(1)


class ReturnQuoteBody(Body):
    """Goods that are to come back, by the lines of the receipt that they were bought with (``original``)."""

    partner_id: CodeText | None = Field(
        default=None, description="Whose receipt. Needed from the programme's own clients; others may leave it out."
    )
    original: ReceiptKey
    lines: Annotated[tuple[ReturnedLineBody, ...], Field(min_length=1, max_length=LINES_MAX)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len({line.line_id for line in self.lines}) != len(self.lines):
            raise PydanticCustomError("line_twice", "Line ids name lines: each may stand once")
        return self

    def thousandths(self) -> dict[int, int]:
        """Quantities by line."""
        return {line.line_id: int(line.quantity * THOUSANDTHS) for line in self.lines}


class PointsBackAnswer(Answer):
    """Points that go back to a redemption's lots; as a points tender of the return they are ``value_minor``."""

    redemption_id: UUID
    point_type: str
    points: int
    value_minor: int


class LineTakenAnswer(Answer):
    """Points of a type that are taken for a line, after the lines before it: below zero where goods before it had taken
    more than is taken of both (a bundle). ``lacking`` is its part of what the balance lacks."""

    point_type: str
    points: int
    lacking: int


class LineBackAnswer(Answer):
    """What is paid back for a line, and what is ``taken`` of the points that it had earned (null: not known now)."""

    line_id: int
    quantity: Decimal
    money_minor: int
    points: list[PointsBackAnswer]
    taken: list[LineTakenAnswer] | None

    @classmethod
    def of(cls, line: LineBack, types: Mapping[UUID, str], taken: ReturnPreview | None) -> Self:
        """The answer for a line."""
        return cls(
            line_id=line.line_id,
            quantity=Decimal(line.thousandths) / THOUSANDTHS,
            money_minor=line.money_minor,
            points=_points(line.points, types),
            taken=None
            if taken is None
            else [
                LineTakenAnswer(point_type=one.point_type, points=one.points, lacking=one.lacking)
                for one in taken.taken_of_lines
                if one.line_id == line.line_id
            ],
        )


class TakenOfTypeAnswer(Answer):
    """Points of a type that are taken: ``from_pending`` of them still wait, ``lacking`` the balance does not have (with
    what this return gives back, where the member would owe it). Nobody owes those of them that are ``forgiven``."""

    point_type: str
    points: int
    from_pending: int
    lacking: int
    forgiven: int


class TakenAnswer(Answer):
    """What becomes of the points that the goods had earned.

    ``awarded``: the return takes ``points``, by type. ``refused``: it takes nothing, for the ``reason``; ``parked``: it
    waits, as its receipt does; ``awaiting``: accrual has not read that yet. ``policy`` is what the rules of the
    purchase say of what is ``lacking``: the member owes it (``debt``), nobody does (``clip``), or the return is refused
    and takes nothing at all (``refuse``). As long as less than ``forgive_below`` of the programme's own points is
    lacking of the purchase, all in all, nobody owes it (null: however little it is).
    """

    status: Literal["awarded", "refused", "parked", "awaiting"]
    reason: str | None
    policy: Literal["debt", "clip", "refuse"] | None
    forgive_below: int | None
    points: list[TakenOfTypeAnswer]

    @classmethod
    def of(cls, told: ReturnPreview) -> Self:
        """The answer for what accrual has told."""
        return cls(
            status=told.status,
            reason=told.reason,
            policy=told.policy,
            forgive_below=told.forgive_below,
            points=[TakenOfTypeAnswer.model_validate(one.model_dump()) for one in told.taken],
        )


class WithheldAnswer(Answer):
    """What is to be kept of the refund, ``amount_minor`` of ``money_minor``, for so many points that are lacking."""

    points: int
    amount_minor: int


class AbsentPartAnswer(Answer):
    """A part that is not there. ``late`` or ``away``: ask again, or go on without it; ``failed``: we have to look."""

    part: Literal["taken"]
    reason: str


class ReturnQuoteAnswer(Answer):
    """What is paid back in all: ``money_minor``, and ``points`` as the points tenders of the return, which together are
    its ``total_minor``. The lines add up to it exactly. Nothing is reserved: what comes back meanwhile comes first.
    ``taken`` is what becomes of the points that the goods had earned; null, and named in ``absent``, while that cannot
    be told. ``withhold``: what the till is to keep of the money for what is lacking, where the rules of the purchase
    ask it to, and says so in the return (``withheld``).
    """

    original_receipt_id: str
    currency: str
    total_minor: int
    money_minor: int
    points: list[PointsBackAnswer]
    lines: list[LineBackAnswer]
    taken: TakenAnswer | None
    withhold: WithheldAnswer | None
    absent: list[AbsentPartAnswer]

    @classmethod
    def of(cls, told: ToldReturn, original_receipt_id: str, currency: str) -> Self:
        """The answer for a quote."""
        quote, types, _ = told.quoted
        return cls(
            original_receipt_id=original_receipt_id,
            currency=currency,
            total_minor=quote.total_minor,
            money_minor=quote.money_minor,
            points=_points(quote.points, types),
            lines=[LineBackAnswer.of(line, types, told.taken) for line in quote.lines],
            taken=None if told.taken is None else TakenAnswer.of(told.taken),
            withhold=None if told.withheld is None else WithheldAnswer(**told.withheld._asdict()),
            absent=[] if told.absent is None else [AbsentPartAnswer(part="taken", reason=told.absent)],
        )


def _points(points: Iterable[PointsBack], types: Mapping[UUID, str]) -> list[PointsBackAnswer]:
    return [PointsBackAnswer(point_type=types[one.redemption_id], **one._asdict()) for one in points]
