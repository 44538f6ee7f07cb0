"""What HTTP says of receipts that are moved to another member."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.accrual.domain.receipt_moves import MoveRefusal, MoveState, ReceiptMove
from shared.receipt_key import receipt_id_of
from shared.web import Body, CodeText


class ReceiptMoveBody(Body):
    """From whom, to whom, and why."""

    from_member_id: Annotated[UUID, Field(description="Under whom it was awarded.")]
    to_member_id: Annotated[UUID, Field(description="Whose it is.")]
    reason_code: Annotated[CodeText, Field(description="One that the programme has declared.")]


class ReceiptMoveAnswer(BaseModel):
    """A move as it stands. While it waits, points are what it would have moved when it was asked for."""

    model_config = ConfigDict(frozen=True)

    move_id: UUID
    receipt_id: str
    state: MoveState
    refused_because: MoveRefusal | None
    from_member_id: UUID
    to_member_id: UUID
    reason_code: str
    taken_points: int
    became_debt: int
    given_points: int
    created_by: str
    created_at: datetime
    decided_by: str | None
    decided_at: datetime | None

    @classmethod
    def of(cls, move: ReceiptMove) -> Self:
        """The answer for a move."""
        return cls(
            move_id=move.move_id,
            receipt_id=receipt_id_of(move.natural_key),
            state=move.state,
            refused_because=move.refusal,
            from_member_id=move.from_member_id,
            to_member_id=move.to_member_id,
            reason_code=move.reason_code,
            taken_points=move.taken_points,
            became_debt=move.became_debt,
            given_points=move.given_points,
            created_by=move.created_by,
            created_at=move.created_at,
            decided_by=move.decided_by,
            decided_at=move.decided_at,
        )
