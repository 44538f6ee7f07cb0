"""``loyalty.members``: who belongs to the programme. No personal data: identifiers are keyed hashes."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.events.envelope import Event, Frozen, IdentifierHash, Version

MemberStatus = Literal["active", "suspended", "closed"]
IdentifierState = Literal["active", "blocked"]


class MemberData(Frozen):
    """A member as others may know it."""

    member_id: UUID
    version: Version
    status: MemberStatus
    language: str | None = None
    region: str | None = None


class IdentifierData(Frozen):
    """An identifier and whose it is. ``version`` is the identifier's own."""

    member_id: UUID
    identifier_hash: IdentifierHash
    identifier_type: Literal["card", "phone", "token"]
    state: IdentifierState
    version: Version


class MemberEnrolled(Event):
    """Someone joined the programme."""

    type: Literal["loyalty.member.enrolled.v1"] = "loyalty.member.enrolled.v1"
    data: MemberData


class IdentifierLinked(Event):
    """An identifier now belongs to a member; receipts that waited for it can be credited."""

    type: Literal["loyalty.identifier.linked.v1"] = "loyalty.identifier.linked.v1"
    data: IdentifierData


MemberEvent = Annotated[MemberEnrolled | IdentifierLinked, Field(discriminator="type")]
