"""What HTTP says of corrections."""

from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.members.domain.registry import Member
from services.members.schemas.registry import AddressBody, BirthDate, Email, Language, Name, Phone, Region
from shared.events.members import MemberStatus
from shared.web import Body


def _without_defaults(schema: dict[str, Any]) -> None:
    """What is not sent has no default: it stays as it is."""
    for told in schema["properties"].values():
        told.pop("default", None)


class RectificationBody(Body):
    """What is to be corrected: fields that are not sent stay. null takes away what a member need not have."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    given_name: Name = Field(default="", repr=False)
    family_name: Name = Field(default="", repr=False)
    email: Email = Field(default="", repr=False)
    phone: Phone | None = Field(default=None, repr=False)
    birth_date: BirthDate | None = Field(default=None, repr=False)
    address: AddressBody | None = Field(default=None, repr=False)
    language: Language = Field(default="")
    region: Region | None = Field(default=None)


class RectifiedAnswer(BaseModel):
    """A member after a correction. It repeats nothing personal."""

    model_config = ConfigDict(frozen=True)

    member_id: UUID
    status: MemberStatus
    version: int
    language: str
    region: str | None

    @classmethod
    def of(cls, member: Member) -> Self:
        """The answer for a member."""
        return cls(
            member_id=member.member_id,
            status=member.status,
            version=member.version,
            language=member.language,
            region=member.region,
        )
