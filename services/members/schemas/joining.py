"""What HTTP says of the conditions of joining, and of referrals."""

from datetime import datetime
from typing import Self
from uuid import UUID

from services.members.domain.joining import DeclaredConditions, JoiningConditions
from services.members.schemas.fields import AnswerModel


class ConditionsAnswer(AnswerModel):
    """The conditions that count. Version 0: none were declared, and everybody may join."""

    version: int
    conditions: JoiningConditions
    declared_by: str | None
    declared_at: datetime | None

    @classmethod
    def of(cls, declared: DeclaredConditions) -> Self:
        """The answer for what was declared."""
        return cls(
            version=declared.version,
            conditions=declared.conditions,
            declared_by=declared.declared_by,
            declared_at=declared.declared_at,
        )


class ReferralCodeAnswer(AnswerModel):
    """What the member passes on."""

    member_id: UUID
    referral_code: str
