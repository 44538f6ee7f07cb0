"""What HTTP says of merges."""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.members.domain.registry import Member
from services.members.schemas.statuses import ReasonBody


class MergeBody(ReasonBody):
    """The member that turned out to be the one in the path, and how that was found out, as a reason code."""

    merged_member_id: UUID


class MergeAnswer(BaseModel):
    """The member that stays, as it stands at ``version``, and the one that it answers for."""

    model_config = ConfigDict(frozen=True)

    member_id: UUID
    version: int
    merged_member_id: UUID

    @classmethod
    def of(cls, survivor: Member, merged_id: UUID) -> Self:
        """The answer for a survivor."""
        return cls(member_id=survivor.member_id, version=survivor.version, merged_member_id=merged_id)
