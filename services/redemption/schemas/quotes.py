"""What HTTP says of quotes."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.redemption.domain.write_off.quoting import THOUSANDTHS, BasketLine, Bound, BoundCode, LineValue
from services.redemption.schemas.answer import Answer
from services.redemption.schemas.identifiers import ShownIdentifierBody
from services.redemption.use_cases.quote_points import Quoted
from shared.web import Body, CodeText, NonNegativeMinor, PositivePoints, PositiveQuantity, WholeNumber

LINES_MAX = 500


class BasketLineBody(Body):
    """Goods to be paid, as the partner's receipts name them. ``amount_minor`` is what is to be paid of the line."""

    line_id: WholeNumber
    amount_minor: NonNegativeMinor
    quantity: PositiveQuantity = Decimal(1)
    sku: CodeText | None = None
    category: CodeText | None = None

    def line(self) -> BasketLine:
        """The line as the rules see it; what its category counts as is found out later."""
        return BasketLine(self.line_id, self.amount_minor, int(self.quantity * THOUSANDTHS), self.sku)


class QuoteLineBody(BasketLineBody):
    """A line of which privileges may have taken something off before."""

    privilege_minor: NonNegativeMinor = Field(
        default=0,
        description="What discounts of privileges have taken off the line, of which amount_minor is left. "
        "A floor in percent is of both together.",
    )

    def line(self) -> BasketLine:
        """The line as the rules see it."""
        return replace(super().line(), taken_off_minor=self.privilege_minor)


class QuoteBody(Body):
    """How much of a basket may points pay? The member is named by id or by what the till has read."""

    member_id: UUID | None = None
    identifier: ShownIdentifierBody | None = None
    partner_id: CodeText | None = Field(
        default=None, description="At which partner. Needed from the programme's own clients; others may leave it out."
    )
    store_id: CodeText | None = Field(default=None, description="In which store. A till's own is known.")
    currency: CodeText | None = Field(default=None, description="Of the amounts: the programme's own, or left out.")
    lines: Annotated[tuple[QuoteLineBody, ...], Field(min_length=1, max_length=LINES_MAX)]
    points: PositivePoints | None = Field(default=None, description="No more than these, if the member wants less.")
    session_id: UUID | None = Field(
        default=None, description="The till conversation that a checkout opened. Holds by the quote belong to it."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.member_id is None) == (self.identifier is None):
            raise PydanticCustomError("one_member", "Name the member by member_id or by identifier: one of the two")
        if len({line.line_id for line in self.lines}) != len(self.lines):
            raise PydanticCustomError("line_twice", "Line ids name lines: each may stand once")
        return self


class LineValueAnswer(Answer):
    """What points pay of a line, how many of them, and by which rate; no rate: they never pay for such goods."""

    line_id: int
    value_minor: int
    points: int
    rate_id: str | None

    @classmethod
    def of(cls, line: LineValue) -> Self:
        """The answer for a line."""
        return cls(**line._asdict())


class BoundAnswer(Answer):
    """What stands in the way of more: how many points, or how much, this one allows. ``limit_id`` names the rule."""

    code: BoundCode
    limit_id: str | None
    points: int | None
    value_minor: int | None

    @classmethod
    def of(cls, bound: Bound) -> Self:
        """The answer for a bound."""
        return cls(**bound._asdict())


class QuoteAnswer(Answer):
    """The most that may be spent: ``points`` pay ``value_minor``, to which the lines' values add up exactly.

    The price holds until ``expires_at`` for a hold that names the quote, unless an article gets a floor meanwhile that
    it does not keep. ``rule_set_version`` 0: no rules are published, and a point is worth what the programme has set.
    """

    quote_id: UUID
    member_id: UUID
    points: int
    value_minor: int
    lines: list[LineValueAnswer]
    bounds: list[BoundAnswer]
    rule_set_version: int
    expires_at: datetime
    session_id: UUID | None

    @classmethod
    def of(cls, quoted: Quoted) -> Self:
        """The answer for a quote that was given."""
        stored, quote, rules = quoted
        return cls(
            quote_id=stored.quote_id,
            member_id=stored.member_id,
            points=quote.points,
            value_minor=quote.value_minor,
            lines=[LineValueAnswer.of(line) for line in quote.lines],
            bounds=[BoundAnswer.of(bound) for bound in quote.bounds],
            rule_set_version=rules.version,
            expires_at=stored.expires_at,
            session_id=stored.session_id,
        )
