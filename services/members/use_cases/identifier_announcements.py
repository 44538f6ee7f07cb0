"""What the registry tells of identifiers after they were linked."""

from datetime import datetime

from services.members.domain.registry import FIRST_VERSION, Identifier
from services.members.use_cases import announcements
from services.members.use_cases.announcements import SOURCE
from shared.events.catalogue import MEMBERS
from shared.events.members import IdentifierKeyRetired, IdentifierRevoked, KeyData, RevocationData
from shared.ids import new_id
from shared.outbox import Message
from shared.telemetry.trace_context import child_traceparent, current_traceparent

# Why a hash is told of an identifier that was revoked before: nothing happened to it but a new key.
REKEYED = "rekeyed"


def known_anew(identifier: Identifier, at: datetime) -> Message:
    """An identifier, as it stands, under a hash that nobody has heard of."""
    return announcements.linked(identifier, at) if identifier.state == "active" else revoked(identifier, REKEYED, at)


def revoked(identifier: Identifier, reason_code: str, at: datetime) -> Message:
    """An identifier was blocked, lost or replaced: it spends nothing any more."""
    subject = str(identifier.member_id)
    event = IdentifierRevoked(
        id=new_id(),
        source=SOURCE,
        subject=subject,
        time=at,
        traceparent=child_traceparent(current_traceparent()),
        data=RevocationData(
            member_id=identifier.member_id,
            identifier_hash=identifier.hash,
            identifier_type=identifier.type,
            state=identifier.state,
            version=identifier.version,
            linked_at=identifier.linked_at,
            reason_code=reason_code,
        ),
    )
    return Message.of(event, MEMBERS.topic, subject)


def key_retired(key_version: int, at: datetime) -> Message:
    """A key is retired: what was hashed with it counts no more."""
    subject = f"identifier-key-{key_version}"
    event = IdentifierKeyRetired(
        id=new_id(),
        source=SOURCE,
        subject=subject,
        time=at,
        traceparent=child_traceparent(current_traceparent()),
        data=KeyData(key_version=key_version, version=FIRST_VERSION),
    )
    return Message.of(event, MEMBERS.topic, subject)
