"""What HTTP says of points that people give and take by hand, one by one and by file."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints

from services.accrual.domain.adjustment_files import AdjustmentFile, FileState
from services.accrual.domain.adjustments import (
    NOTE_LENGTH_MAX,
    POINTS_MAX,
    Act,
    Adjustment,
    AdjustmentState,
    Basis,
    Refusal,
)
from shared.web import Body, CodeText, Flag

Note = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=NOTE_LENGTH_MAX),
    Field(description="For colleagues. No names, addresses, phones or cards: the member is told it on request."),
]
SignedPoints = Annotated[
    StrictInt,
    Field(ge=-POINTS_MAX, le=POINTS_MAX, description="Given; below zero: taken. In the point type's smallest unit."),
]
OfType = Annotated[
    CodeText, Field(description="One of the programme's types, status points too; absent: the programme's own.")
]
GoneOn = Annotated[date, Field(description="The first day on which given points may not be spent any more.")]


class AdjustmentLineBody(Body):
    """What one line of a file asks for."""

    member_id: UUID
    points: SignedPoints
    reason_code: CodeText
    point_type: OfType | None = None
    expires_on: GoneOn | None = None
    note: Note | None = None


class AdjustmentBody(AdjustmentLineBody):
    """Points to give to a member, or to take.

    ``clip``: where less is there than is to be taken, take as much as there is; otherwise it is refused.
    """

    clip: Flag = False


class AdjustmentFileBody(Body):
    """A file that will be sent. Its name is its identity, for ever."""

    name: CodeText
    clip: Flag = False


class AdjustmentAnswer(BaseModel):
    """An adjustment as it stands. ``posted_points`` were moved, signed; ``refused_because`` says why none were.

    ``act``: points given or taken, points that had lapsed given back, or debt forgiven (its points are what was owed).
    """

    model_config = ConfigDict(frozen=True)

    adjustment_id: UUID
    act: Act
    state: AdjustmentState
    refused_because: Refusal | None
    member_id: UUID
    point_type: str
    points: int
    posted_points: int
    reason_code: str
    kind: str
    basis: Basis
    note: str | None
    expires_on: date | None
    clip: bool
    created_by: str
    created_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    file_id: UUID | None
    line: int | None

    @classmethod
    def of(cls, adjustment: Adjustment) -> Self:
        """The answer for an adjustment."""
        return cls(
            adjustment_id=adjustment.adjustment_id,
            act=adjustment.act,
            state=adjustment.state,
            refused_because=adjustment.refusal,
            member_id=adjustment.member_id,
            point_type=adjustment.point_type,
            points=adjustment.points,
            posted_points=adjustment.posted_points,
            reason_code=adjustment.reason_code,
            kind=adjustment.kind,
            basis=adjustment.basis,
            note=adjustment.note,
            expires_on=adjustment.expires_on,
            clip=adjustment.is_clipped,
            created_by=adjustment.created_by,
            created_at=adjustment.created_at,
            decided_by=adjustment.decided_by,
            decided_at=adjustment.decided_at,
            file_id=adjustment.file_id,
            line=adjustment.line,
        )


class AdjustmentFileAnswer(BaseModel):
    """How far a file has come. Of the ``accepted`` lines ``posted`` took effect, and of ``failed`` nothing came."""

    model_config = ConfigDict(frozen=True)

    file_id: UUID
    name: str
    state: FileState
    clip: bool
    records_taken: int
    accepted: int
    refused: int
    points_total: int
    points_largest: int
    repeats_file_id: UUID | None
    posted: int
    failed: int
    created_by: str
    created_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    content_url: str
    refusals_url: str

    @classmethod
    def of(cls, file: AdjustmentFile) -> Self:
        """The answer for a file."""
        url = f"/v1/adjustment-files/{file.file_id}"
        return cls(
            file_id=file.file_id,
            name=file.name,
            state=file.state,
            clip=file.is_clipped,
            records_taken=file.records_taken,
            accepted=file.accepted,
            refused=file.refused,
            points_total=file.points_total,
            points_largest=file.points_largest,
            repeats_file_id=file.repeats,
            posted=file.posted,
            failed=file.failed,
            created_by=file.created_by,
            created_at=file.created_at,
            decided_by=file.decided_by,
            decided_at=file.decided_at,
            content_url=f"{url}/content",
            refusals_url=f"{url}/refusals",
        )
