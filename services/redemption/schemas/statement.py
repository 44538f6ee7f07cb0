"""What HTTP says of a statement."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from services.redemption.domain.statement import Line
from services.redemption.schemas.answer import Answer
from shared.ledger.legs import Purpose


class StatementLineAnswer(Answer):
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
