"""What HTTP says of partners."""

from datetime import date, datetime
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field

from services.coalition.domain.registry import Partner
from services.coalition.domain.standing import Standing
from services.coalition.schemas.fields import AnswerModel, Name
from shared.events.coalition import PartnerKind, PartnerState
from shared.web import AwareTime, Body, CodeText

TOLERANCE_MINOR_MAX = 100_000
LINE_TOLERANCE_MINOR_DEFAULT = 1
RECEIPT_TOLERANCE_MINOR_DEFAULT = 5
Tolerance: TypeAlias = Annotated[int, Field(ge=0, le=TOLERANCE_MINOR_MAX)]


class PartnerBody(Body):
    """A member company. Tolerances are in minor units of the programme's currency."""

    partner_id: CodeText
    name: Name
    kind: PartnerKind = "both"
    state: Literal["preparing", "testing", "active"] = "active"
    line_tolerance_minor: Tolerance = LINE_TOLERANCE_MINOR_DEFAULT
    receipt_tolerance_minor: Tolerance = RECEIPT_TOLERANCE_MINOR_DEFAULT


class PartnerChangeBody(Body):
    """Where a partner stands from now on, and why. What is left out stays; days belong to ``leaving`` alone.

    Without ``in_force_from`` the change counts as soon as may be: at once where it only closes, in a minute where it
    opens anything.
    """

    state: PartnerState | None = None
    kind: PartnerKind | None = None
    reason_code: CodeText
    in_force_from: AwareTime | None = None
    last_earn_on: date | None = None
    last_spend_on: date | None = None
    returns_until: date | None = None

    def standing(self, present: Standing) -> Standing:
        """What is wanted of a partner who stands as ``present``."""
        state = self.state or present.state
        is_leaving_still = state == present.state == "leaving"
        return Standing(
            kind=self.kind or present.kind,
            state=state,
            in_force_from=present.in_force_from,  # when it counts from is decided with the change
            reason_code=self.reason_code,
            last_earn_on=self.last_earn_on or (present.last_earn_on if is_leaving_still else None),
            last_spend_on=self.last_spend_on or (present.last_spend_on if is_leaving_still else None),
            returns_until=self.returns_until or (present.returns_until if is_leaving_still else None),
        )


class PartnerAnswer(AnswerModel):
    """A member company. Kind and state count from ``in_force_from`` on; until then what stood before."""

    partner_id: str
    name: str
    kind: PartnerKind
    state: PartnerState
    in_force_from: datetime
    reason_code: str
    last_earn_on: date | None
    last_spend_on: date | None
    returns_until: date | None
    line_tolerance_minor: int
    receipt_tolerance_minor: int
    version: int

    @classmethod
    def of(cls, partner: Partner) -> Self:
        """The answer for a partner."""
        return cls(
            partner_id=partner.partner_id,
            name=partner.name,
            kind=partner.standing.kind,
            state=partner.standing.state,
            in_force_from=partner.standing.in_force_from,
            reason_code=partner.standing.reason_code,
            last_earn_on=partner.standing.last_earn_on,
            last_spend_on=partner.standing.last_spend_on,
            returns_until=partner.standing.returns_until,
            line_tolerance_minor=partner.line_tolerance_minor,
            receipt_tolerance_minor=partner.receipt_tolerance_minor,
            version=partner.version,
        )
