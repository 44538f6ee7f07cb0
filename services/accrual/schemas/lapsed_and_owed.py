"""What HTTP says of points that had lapsed, and of debts."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field, StrictInt

from services.accrual.domain.adjustments import POINTS_MAX
from services.accrual.schemas.adjustments import Note, OfType
from services.accrual.schemas.fields import Answer
from shared.web import Body, CodeText

Amount = Annotated[StrictInt, Field(ge=1, le=POINTS_MAX, description="In the point type's smallest unit.")]


class ReinstatementBody(Body):
    """How many of the points that lapsed to give back, and why. Those that lapsed last come first."""

    points: Amount
    reason_code: CodeText
    point_type: OfType | None = None
    note: Note | None = None


class WriteOffBody(Body):
    """How much of what is owed to forgive, and why. What is owed longest is forgiven first."""

    points: Amount
    reason_code: CodeText
    point_type: OfType | None = None
    note: Note | None = None


class LapsedAnswer(Answer):
    """Points of one issuer that lapsed on a day and were not given back."""

    issuer: str
    expired_on: date
    points: int


class LapsedPointsAnswer(Answer):
    """What may be given back today, the last first, and until when it would last."""

    point_type: str
    points: int
    expires_on: date
    lapsed: list[LapsedAnswer]


class DebtAnswer(Answer):
    """What is still owed of one claw-back, to the partner that bears it; ``receipt_id`` where one caused it."""

    issuer: str
    points: int
    owed_since: datetime
    days: int
    receipt_id: str | None


class DebtsAnswer(Answer):
    """All that a member owes, the oldest first: in this order it is cleared."""

    point_type: str
    points: int
    debts: list[DebtAnswer]
