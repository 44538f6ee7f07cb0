"""What HTTP says of replacing the identifier key."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StrictInt

from services.members.schemas.fields import AnswerModel
from services.members.use_cases.rekey_identifiers import MEMBERS_PER_PAGE_MAX, Rekeyed
from shared.web import Body, Flag

KEY_VERSION_MAX = 2_147_483_647


class RekeyBody(Body):
    """Which page to hash anew. The first has no ``after``; each next one starts after the last answer's."""

    after: UUID | None = Field(default=None, description="last_member_id of the page before.")
    members_max: int = Field(default=MEMBERS_PER_PAGE_MAX, ge=1, le=MEMBERS_PER_PAGE_MAX)


class RekeyedAnswer(AnswerModel):
    """What a page came to. All is done when a run from the first page to the last has written nothing."""

    members: int
    rekeyed: int = Field(description="How many hashes were written.")
    without_value: int = Field(
        description="How many identifiers and addresses cannot be hashed anew, because their values were not kept yet "
        "when they were linked: link them to their members again."
    )
    last_member_id: UUID | None = Field(description="Send it as after for the next page; null: nobody follows.")

    @classmethod
    def of(cls, page: Rekeyed) -> Self:
        """The answer for a page."""
        return cls(
            members=page.members,
            rekeyed=page.rekeyed,
            without_value=page.without_value,
            last_member_id=page.last_member_id,
        )


class RetireKeyBody(Body):
    """Which key is retired, by its version."""

    key_version: Annotated[StrictInt, Field(ge=1, le=KEY_VERSION_MAX)]
    forgets_unknown: Flag = Field(
        default=False,
        description="Retire it although there are identifiers that no other key has hashed. They are nobody's then, "
        "until they are linked again.",
    )


class RetiredKeyAnswer(AnswerModel):
    """The key that is retired."""

    key_version: int
