"""What HTTP says of events that points of a receipt wait for."""

from typing import Literal, Self
from uuid import UUID

from pydantic import Field

from services.accrual.domain.award_events import Told, ToldResult
from services.accrual.schemas.fields import Answer
from shared.receipt_key import receipt_id_of
from shared.web import Body, CodeText


class AwardEventBody(Body):
    """What has come, by the code that the rules name it with."""

    event: CodeText


class ToldPartAnswer(Answer):
    """Points that waited for it: free to be spent, kept by a hold, or waited for in vain before it was told."""

    point_type: str
    points: int
    result: Literal["released", "held", "too_late"]


class EventReleaseAnswer(Answer):
    """What came of it for the points of a member event."""

    event_id: UUID
    event: str
    result: ToldResult
    parts: list[ToldPartAnswer] = Field(default_factory=list)

    @classmethod
    def of(cls, event_id: UUID, event: str, told: Told) -> Self:
        """The answer for what was told."""
        return cls(event_id=event_id, event=event, result=told.result, parts=_parts(told))


class AwardEventAnswer(Answer):
    """What came of it. ``recorded``: the receipt has not been decided yet, and its points will not wait."""

    receipt_id: str
    event: str
    result: ToldResult
    parts: list[ToldPartAnswer] = Field(default_factory=list)
    status_url: str

    @classmethod
    def of(cls, natural_key: bytes, event: str, told: Told) -> Self:
        """The answer for what was told."""
        receipt_id = receipt_id_of(natural_key)
        return cls(
            receipt_id=receipt_id,
            event=event,
            result=told.result,
            parts=_parts(told),
            status_url=f"/v1/receipts/{receipt_id}",
        )


def _parts(told: Told) -> list[ToldPartAnswer]:
    return [ToldPartAnswer(point_type=part.point_type, points=part.points, result=part.result) for part in told.parts]
