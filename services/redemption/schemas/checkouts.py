"""What HTTP says of checkouts."""

from datetime import date
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.redemption.domain.checkout import Part
from services.redemption.gateways.basket_previews import ToEarn
from services.redemption.gateways.member_names import MemberName
from services.redemption.schemas.answer import Answer
from services.redemption.schemas.identifiers import ShownIdentifierBody
from services.redemption.schemas.privileges import CheckAnswer
from services.redemption.schemas.quotes import LINES_MAX, BasketLineBody, QuoteAnswer
from services.redemption.use_cases.check_out import CheckedOut
from shared.events.purchases import LineKind
from shared.web import Body, CodeText, NonNegativeMinor

COUPONS_MAX = 50

ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]


class CheckoutLineBody(BasketLineBody):
    """A line of the basket. ``amount_minor`` is its price, tax included, before the discounts of privileges and after
    all others."""

    sku: CodeText
    discount_minor: NonNegativeMinor = 0
    tax_minor: NonNegativeMinor | None = None
    brand: ShortText | None = None
    kind: LineKind | None = None
    seller: CodeText | None = None


class CheckoutBody(Body):
    """What the till has read of a member, and the basket."""

    identifier: ShownIdentifierBody
    session_id: UUID | None = Field(
        default=None, description="The conversation that an earlier checkout of this basket opened; else one is opened."
    )
    partner_id: CodeText | None = Field(
        default=None, description="At which partner. Needed from the programme's own clients; others may leave it out."
    )
    store_id: CodeText | None = Field(default=None, description="In which store. A till's own is known.")
    till_id: CodeText | None = Field(default=None, description="At which till. A till's own is known.")
    currency: CodeText | None = Field(default=None, description="Of the amounts: the programme's own, or left out.")
    lines: Annotated[tuple[CheckoutLineBody, ...], Field(min_length=1, max_length=LINES_MAX)]
    channel: ShortText | None = None
    coupons: Annotated[tuple[ShortText, ...], Field(max_length=COUPONS_MAX)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len({line.line_id for line in self.lines}) != len(self.lines):
            raise PydanticCustomError("line_twice", "Line ids name lines: each may stand once")
        return self

    def for_accrual(self, partner_id: str, store_id: str, till_id: str, currency: str) -> dict[str, Any]:
        """The basket as accrual takes it, in JSON's terms."""
        said: dict[str, Any] = self.model_dump(mode="json", include={"identifier", "lines", "channel", "coupons"})
        at_till = {"partner_id": partner_id, "store_id": store_id, "till_id": till_id, "currency": currency}
        return said | at_till


class CheckoutMemberAnswer(Answer):
    """Who was read. ``tier`` is absent where none is known: the lowest is told of once there was another one."""

    member_id: UUID
    tier: str | None


class CheckoutNameAnswer(Answer):
    """How to greet the member."""

    given_name: str = Field(repr=False)
    family_initial: str = Field(repr=False)

    @classmethod
    def of(cls, name: MemberName) -> Self:
        """The answer for a name."""
        return cls(given_name=name.given_name, family_initial=name.family_initial)


class PartToEarnAnswer(Answer):
    """Points of one type on one set of terms: to be spent at once, from a day on, or once something has come."""

    point_type: str
    points: int
    waits_until: date | None
    waits_for: str | None
    expires_on: date | None


class EarnAnswer(Answer):
    """What the basket earns if it is paid now, with money alone.

    ``parked``: it would wait, for what ``reason`` says, as for a card that nobody knows yet; ``refused``: it earns
    nothing. ``points`` are the programme's own.
    """

    status: Literal["awarded", "refused", "parked"]
    reason: str | None
    points: int | None
    parts: list[PartToEarnAnswer]

    @classmethod
    def of(cls, told: ToEarn) -> Self:
        """The answer for what accrual has told."""
        parts = [PartToEarnAnswer.model_validate(part.model_dump()) for part in told.parts or ()]
        return cls(status=told.status, reason=told.reason, points=told.points, parts=parts)


class AbsentAnswer(Answer):
    """A part that is not there. ``late`` or ``away``: ask again, or go on without it; ``failed``: we have to look;
    anything else says why there is none."""

    part: Part
    reason: str


class CheckoutAnswer(Answer):
    """All parts that there are: each of the others is null, and stands in ``absent``.

    Quote, holds and receipt of this basket bear ``session_id``. ``earn`` and ``spend`` are of what ``privileges`` leave
    to be paid. ``spend`` is a quote: a hold may name it. ``message`` is for the receipt.
    """

    session_id: UUID
    member: CheckoutMemberAnswer | None
    name: CheckoutNameAnswer | None
    privileges: CheckAnswer | None
    earn: EarnAnswer | None
    spend: QuoteAnswer | None
    message: str | None
    absent: list[AbsentAnswer]

    @classmethod
    def of(cls, session_id: UUID, found: CheckedOut) -> Self:
        """The answer for what was found."""
        member, name = found.member, found.name
        return cls(
            session_id=session_id,
            member=None if member is None else CheckoutMemberAnswer(member_id=member.member_id, tier=member.tier),
            name=None if name is None else CheckoutNameAnswer.of(name),
            privileges=None if found.privileges is None else CheckAnswer.of(found.privileges),
            earn=None if found.earn is None else EarnAnswer.of(found.earn),
            spend=None if found.spend is None else QuoteAnswer.of(found.spend),
            message=found.message,
            absent=[AbsentAnswer(part=one.part, reason=one.reason) for one in found.absent],
        )
