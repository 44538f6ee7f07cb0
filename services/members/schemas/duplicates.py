"""What HTTP says of members who may be one person. No answer holds a personal value."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from services.members.domain.duplicates import ComparedField, Dismissal, Duplicate
from services.members.schemas.fields import AnswerModel
from shared.web import Body, CodeText


class DismissBody(Body):
    """Why the two are two, in a code of the programme's."""

    reason_code: CodeText


class DuplicateAnswer(AnswerModel):
    """Two members who may be one person."""

    duplicate_id: UUID
    member_ids: tuple[UUID, UUID] = Field(description="In the order of their ids, of which the lower enrolled first.")
    score_percent: int = Field(description="How alike they are; 100 where nothing that is compared differs.")
    agreeing_fields: list[ComparedField]
    found_at: datetime

    @classmethod
    def of(cls, duplicate: Duplicate) -> Self:
        """The answer for a pair."""
        candidate = duplicate.candidate
        return cls(
            duplicate_id=duplicate.duplicate_id,
            member_ids=(candidate.first_id, candidate.second_id),
            score_percent=candidate.likeness.score_percent,
            agreeing_fields=list(candidate.likeness.agreeing_fields),
            found_at=duplicate.found_at,
        )


class DismissalAnswer(AnswerModel):
    """Who found that the two are two, when, and why."""

    duplicate_id: UUID
    reason_code: str
    dismissed_by: str
    dismissed_at: datetime

    @classmethod
    def of(cls, dismissal: Dismissal) -> Self:
        """The answer for a dismissal."""
        return cls(
            duplicate_id=dismissal.duplicate_id,
            reason_code=dismissal.reason_code,
            dismissed_by=dismissal.dismissed_by,
            dismissed_at=dismissal.dismissed_at,
        )
