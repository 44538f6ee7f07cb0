"""What HTTP says of accesses to persons."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.members.domain.accesses import AccessEntry, Purpose, Sight


class AccessAnswer(BaseModel):
    """Who saw what of whom, when, and what for."""

    model_config = ConfigDict(frozen=True)

    entry_id: int
    member_id: UUID
    accessed_by: str
    purpose: Purpose
    sight: Sight
    accessed_at: datetime

    @classmethod
    def of(cls, entry: AccessEntry) -> Self:
        """The answer for an entry."""
        access = entry.access
        return cls(
            entry_id=entry.entry_id,
            member_id=access.member_id,
            accessed_by=access.accessed_by,
            purpose=access.purpose,
            sight=access.sight,
            accessed_at=entry.accessed_at,
        )
