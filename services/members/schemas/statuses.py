"""What HTTP says of statuses."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.members.domain.registry import Member
from services.members.domain.statuses import RequestedStatus, StatusChange
from shared.events.members import MemberStatus
from shared.web import Body, CodeText


class ReasonBody(Body):
    """Why, in one of the codes that the programme declares (``TESSERA_STATUS_REASONS``)."""

    reason_code: CodeText


class StatusBody(ReasonBody):
    """The status that a member is to have, and why."""

    status: RequestedStatus


class StatusAnswer(BaseModel):
    """A member's status, as it stands at ``version``."""

    model_config = ConfigDict(frozen=True)

    member_id: UUID
    status: MemberStatus
    version: int

    @classmethod
    def of(cls, member: Member) -> Self:
        """The answer for a member."""
        return cls(member_id=member.member_id, status=member.status, version=member.version)


class StatusChangeAnswer(BaseModel):
    """One change of a member's status: who, when, from what to what, and why."""

    model_config = ConfigDict(frozen=True)

    version: int
    from_status: MemberStatus
    to_status: MemberStatus
    reason_code: str
    changed_by: str
    changed_at: datetime

    @classmethod
    def of(cls, change: StatusChange) -> Self:
        """The answer for a change."""
        return cls(
            version=change.version,
            from_status=change.from_status,
            to_status=change.to_status,
            reason_code=change.reason_code,
            changed_by=change.changed_by,
            changed_at=change.changed_at,
        )
