"""Members' identifiers as the registry tells of them with when they were linked: short to write."""

from datetime import datetime
from uuid import UUID

from shared.events.members import (
    ContactChanged,
    ContactData,
    IdentifierData,
    IdentifierLinked,
    IdentifierRevoked,
    IdentifierState,
    IdentifierType,
    RevocationData,
)
from shared.ids import new_id
from tests.support.receipts import card


def linked(
    member_id: UUID,
    at: datetime | None,
    number: int = 1,
    *,
    kind: IdentifierType = "card",
    told_at: datetime | None = None,
    version: int = 1,
) -> IdentifierLinked:
    """An identifier that was linked ``at`` (None: the event is of before that was told), told then or again later."""
    data = IdentifierData(
        member_id=member_id,
        identifier_hash=card(number),
        identifier_type=kind,
        state="active",
        version=version,
        linked_at=at,
    )
    time = told_at or at
    assert time is not None
    return IdentifierLinked(id=new_id(), source="members", subject=str(member_id), time=time, data=data)


def revoked(
    member_id: UUID, linked_at: datetime, told_at: datetime, number: int = 1, state: IdentifierState = "replaced"
) -> IdentifierRevoked:
    """An identifier that had been linked at ``linked_at`` counts no more."""
    data = RevocationData(
        member_id=member_id,
        identifier_hash=card(number),
        identifier_type="card",
        state=state,
        version=2,
        linked_at=linked_at,
        reason_code="test",
    )
    return IdentifierRevoked(id=new_id(), source="members", subject=str(member_id), time=told_at, data=data)


def contact_changed(member_id: UUID, at: datetime, told_at: datetime | None = None) -> ContactChanged:
    """The e-mail address became another one ``at``, told then or again later."""
    data = ContactData(member_id=member_id, version=2, changed_at=at)
    return ContactChanged(id=new_id(), source="members", subject=str(member_id), time=told_at or at, data=data)
