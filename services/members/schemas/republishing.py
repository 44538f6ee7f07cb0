"""What HTTP says of telling the present state again."""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.members.use_cases.republish_members import MEMBERS_PER_PAGE_MAX, Republished
from shared.web import Body


class RepublishBody(Body):
    """Which page to tell again. The first has no ``after``; each next one starts after the last answer's."""

    after: UUID | None = Field(default=None, description="last_member_id of the page before.")
    members_max: int = Field(default=MEMBERS_PER_PAGE_MAX, ge=1, le=MEMBERS_PER_PAGE_MAX)


class RepublishedAnswer(BaseModel):
    """What a page told."""

    model_config = ConfigDict(frozen=True)

    members: int
    identifiers: int
    consents: int
    last_member_id: UUID | None = Field(description="Send it as after for the next page; null: nobody follows.")

    @classmethod
    def of(cls, page: Republished) -> Self:
        """The answer for a page."""
        return cls(
            members=page.members,
            identifiers=page.identifiers,
            consents=page.consents,
            last_member_id=page.last_member_id,
        )
