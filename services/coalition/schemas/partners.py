"""What HTTP says of partners."""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field

from services.coalition.domain.registry import Partner
from services.coalition.schemas.fields import AnswerModel, Name
from shared.web import Body, CodeText

TOLERANCE_MINOR_MAX = 100_000
LINE_TOLERANCE_MINOR_DEFAULT = 1
RECEIPT_TOLERANCE_MINOR_DEFAULT = 5
Tolerance: TypeAlias = Annotated[int, Field(ge=0, le=TOLERANCE_MINOR_MAX)]


class PartnerBody(Body):
    """A member company. Tolerances are in minor units of the programme's currency."""

    partner_id: CodeText
    name: Name
    line_tolerance_minor: Tolerance = LINE_TOLERANCE_MINOR_DEFAULT
    receipt_tolerance_minor: Tolerance = RECEIPT_TOLERANCE_MINOR_DEFAULT


class PartnerAnswer(AnswerModel):
    """A member company."""

    partner_id: str
    name: str
    state: Literal["active", "suspended"]
    line_tolerance_minor: int
    receipt_tolerance_minor: int
    version: int

    @classmethod
    def of(cls, partner: Partner) -> Self:
        """The answer for a partner."""
        return cls(
            partner_id=partner.partner_id,
            name=partner.name,
            state=partner.state,
            line_tolerance_minor=partner.line_tolerance_minor,
            receipt_tolerance_minor=partner.receipt_tolerance_minor,
            version=partner.version,
        )
