"""What the registry tells of members, as projections see it: short to write."""

from datetime import datetime
from typing import get_args
from uuid import UUID

import httpx2

from shared.events.members import (
    ErasureData,
    IdentifierKeyRetired,
    IdentifierRevoked,
    IdentifierState,
    KeyData,
    MemberChanged,
    MemberData,
    MemberEnrolled,
    MemberErased,
    MemberStatus,
    MemberStatusChanged,
    RevocationData,
    StatusData,
)
from shared.ids import new_id
from tests.support.receipts import NOON
from tests.support.registries import bearing

STATUSES: tuple[MemberStatus, ...] = get_args(MemberStatus)


def status_changed(member_id: UUID, status: MemberStatus, version: int = 2) -> MemberStatusChanged:
    """A member's status as of a version."""
    data = StatusData(member_id=member_id, version=version, status=status, reason_code="test")
    return MemberStatusChanged(id=new_id(), source="test", subject=str(member_id), time=NOON, data=data)


def changed(
    member_id: UUID, version: int = 2, *, status: MemberStatus = "active", language: str | None = None
) -> MemberChanged:
    """A member as of a version."""
    data = MemberData(member_id=member_id, version=version, status=status, language=language)
    return MemberChanged(id=new_id(), source="test", subject=str(member_id), time=NOON, data=data)


def erased(member_id: UUID, *identifier_hashes: str, version: int = 9) -> MemberErased:
    """A person was erased, with these identifiers."""
    data = ErasureData(member_id=member_id, version=version, identifier_hashes=identifier_hashes)
    return MemberErased(id=new_id(), source="test", subject=str(member_id), time=NOON, data=data)


def revoked(member_id: UUID, identifier_hash: str, state: IdentifierState, version: int = 2) -> IdentifierRevoked:
    """A card was blocked, lost or replaced."""
    data = RevocationData(
        member_id=member_id,
        identifier_hash=identifier_hash,
        identifier_type="card",
        state=state,
        version=version,
        reason_code="test",
    )
    return IdentifierRevoked(id=new_id(), source="test", subject=str(member_id), time=NOON, data=data)


def key_retired(key_version: int) -> IdentifierKeyRetired:
    """A key that identifiers were hashed with is retired."""
    data = KeyData(key_version=key_version, version=1)
    return IdentifierKeyRetired(
        id=new_id(), source="test", subject=f"identifier-key-{key_version}", time=NOON, data=data
    )


def joined_at(member_id: UUID, at: datetime, referred_by: UUID | None = None, **days: int) -> MemberEnrolled:
    """A member joins at a moment."""
    data = MemberData(member_id=member_id, version=1, status="active", referred_by=referred_by, **days)
    return MemberEnrolled(id=new_id(), source="test", subject=str(member_id), time=at, data=data)


async def approved(client: httpx2.AsyncClient, code: str, version: int) -> None:
    """A second person lets a version of a type of events count."""
    url = f"/v1/member-event-types/{code}/versions/{version}/approve"
    answer = await client.post(url, headers=bearing("rules:approve", client_id="second-person"))
    assert answer.status_code == 200, answer.text
