"""What HTTP says of erasures."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.members.domain.erasure import Erasure


class ErasedAnswer(BaseModel):
    """A member behind whom nobody is known any more."""

    model_config = ConfigDict(frozen=True)

    member_id: UUID
    status: Literal["erased"] = "erased"
    version: int
    erased_at: datetime

    @classmethod
    def of(cls, erasure: Erasure) -> Self:
        """The answer for an erasure."""
        return cls(member_id=erasure.member_id, version=erasure.version, erased_at=erasure.erased_at)
