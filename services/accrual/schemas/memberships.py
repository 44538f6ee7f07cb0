"""What HTTP says of segments and of campaigns that members join."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from services.accrual.domain.rules.values import NameText
from services.accrual.schemas.fields import Answer
from shared.web.strict import AwareTime, Body, CodeText

CHANGES_MAX = 500


class SegmentBody(Body):
    """A segment to declare."""

    code: CodeText
    name: NameText


class SegmentAnswer(Answer):
    """A declared segment."""

    code: str
    name: str
    declared_by: str
    declared_at: datetime


class SegmentChangeBody(Body):
    """One member to be put into the segment, from ``from_at`` (else now) until just before ``until_at`` (else until
    further notice), or to be taken out now."""

    member_id: UUID
    action: Literal["add", "remove"] = "add"
    from_at: AwareTime | None = Field(default=None, description="Not in the past; of a removal nothing.")
    until_at: AwareTime | None = Field(default=None, description="Later than from_at; of a removal nothing.")


class SegmentChangesBody(Body):
    """A page of changes, made in their order."""

    changes: Annotated[list[SegmentChangeBody], Field(min_length=1, max_length=CHANGES_MAX)]


class RefusedChangeAnswer(Answer):
    """A change of which nothing came: nobody is known under the id, or it would begin in the past or end too early."""

    member_id: UUID
    reason: Literal["unknown_member", "times"]


class SegmentChangesAnswer(Answer):
    """How many of the changes are new, how many stood so already, and of which nothing came."""

    applied: int
    unchanged: int
    refused: list[RefusedChangeAnswer]


class JoiningBody(Body):
    """From when until just before when a member takes part; left out: from now, and until it leaves."""

    from_at: AwareTime | None = None
    until_at: AwareTime | None = None


class MembershipAnswer(Answer):
    """One stay in a segment or a campaign. Whose ends are the same was taken back before it began. ``changed_by`` is
    null where a partner's client asks and somebody else was the last.
    """

    membership_id: UUID
    member_id: UUID
    kind: Literal["segment", "campaign"]
    code: str
    from_at: datetime
    until_at: datetime | None
    changed_by: str | None


class LeftAnswer(Answer):
    """The member takes no part in the campaign any more."""

    member_id: UUID
    campaign: str


class MembershipData(Answer):
    """The same in an export. By whom is not told."""

    kind: Literal["membership"] = "membership"
    group: Literal["segment", "campaign"]
    code: str
    from_at: datetime
    until_at: datetime | None
