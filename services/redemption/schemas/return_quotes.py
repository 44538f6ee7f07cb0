"""What HTTP says of quotes of returns."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.redemption.domain.return_quote import LineBack, PointsBack
from services.redemption.domain.write_off.quoting import THOUSANDTHS
from services.redemption.schemas.answer import Answer
from services.redemption.schemas.quotes import LINES_MAX
from services.redemption.use_cases.quote_goods_return import QuotedReturn
from shared.receipt_key import ReceiptKey
from shared.web import Body, CodeText, WholeNumber

Quantity = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=3, description="At most three decimals.")]


class ReturnedLineBody(Body):
    """So much of a line of the receipt."""

    line_id: WholeNumber
    quantity: Quantity = Decimal(1)


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


class LineBackAnswer(Answer):
    """What is paid back for a line."""

    line_id: int
    quantity: Decimal
    money_minor: int
    points: list[PointsBackAnswer]

    @classmethod
    def of(cls, line: LineBack, types: Mapping[UUID, str]) -> Self:
        """The answer for a line."""
        return cls(
            line_id=line.line_id,
            quantity=Decimal(line.thousandths) / THOUSANDTHS,
            money_minor=line.money_minor,
            points=_points(line.points, types),
        )


class ReturnQuoteAnswer(Answer):
    """What is paid back in all: ``money_minor``, and ``points`` as the points tenders of the return, which together are
    its ``total_minor``. The lines add up to it exactly. Nothing is reserved: what comes back meanwhile comes first.
    """

    original_receipt_id: str
    currency: str
    total_minor: int
    money_minor: int
    points: list[PointsBackAnswer]
    lines: list[LineBackAnswer]

    @classmethod
    def of(cls, quoted: QuotedReturn, original_receipt_id: str, currency: str) -> Self:
        """The answer for a quote."""
        quote, types = quoted
        return cls(
            original_receipt_id=original_receipt_id,
            currency=currency,
            total_minor=quote.total_minor,
            money_minor=quote.money_minor,
            points=_points(quote.points, types),
            lines=[LineBackAnswer.of(line, types) for line in quote.lines],
        )


def _points(points: Iterable[PointsBack], types: Mapping[UUID, str]) -> list[PointsBackAnswer]:
    return [PointsBackAnswer(point_type=types[one.redemption_id], **one._asdict()) for one in points]
