"""What the registry tells when two members were merged."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.members.domain.merging import MergeRequest
from services.members.domain.registry import Identifier, Member
from services.members.use_cases import announcements, identifier_announcements
from services.members.use_cases.announcements import SOURCE
from shared.database import Transaction
from shared.events.catalogue import MEMBERS
from shared.events.members import MembersMerged, MergeData
from shared.ids import new_id
from shared.outbox import Message
from shared.telemetry.trace_context import child_traceparent, current_traceparent


def merged(
    transaction: Transaction,
    request: MergeRequest,
    survivor: Member,
    merged_version: int,
    identifiers: Sequence[Identifier],
) -> list[Message]:
    """The merge, then every identifier that is the survivor's now, as it stands.

    All travel under the survivor. The merged member's own events may come before or after: they bear lower versions.
    """
    return [
        merge(survivor.member_id, survivor.version, request.merged_id, merged_version, transaction.now),
        *(
            announcements.linked(identifier, transaction.now)
            if identifier.state == "active"
            else identifier_announcements.revoked(identifier, request.reason_code, transaction.now)
            for identifier in identifiers
        ),
    ]


def merge(survivor_id: UUID, version: int, merged_id: UUID, merged_version: int, at: datetime) -> Message:
    """One member answers for another from now on, or has done since before ``at``."""
    subject = str(survivor_id)
    event = MembersMerged(
        id=new_id(),
        source=SOURCE,
        subject=subject,
        time=at,
        traceparent=child_traceparent(current_traceparent()),
        data=MergeData(
            member_id=survivor_id,
            version=version,
            merged_member_id=merged_id,
            merged_version=merged_version,
        ),
    )
    return Message.of(event, MEMBERS.topic, subject)
