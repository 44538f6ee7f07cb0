"""What the registry tells the others. Events carry keyed hashes and no personal data."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.members.domain.consents import Consent
from services.members.domain.registry import Identifier, Member
from services.members.domain.statuses import StatusChange
from shared.database import Transaction
from shared.events.catalogue import MEMBERS
from shared.events.members import (
    ConsentChanged,
    ConsentData,
    ContactChanged,
    ContactData,
    ErasureData,
    IdentifierData,
    IdentifierLinked,
    MemberChanged,
    MemberData,
    MemberEnrolled,
    MemberErased,
    MemberStatusChanged,
    StatusData,
)
from shared.ids import new_id
from shared.outbox import Message
from shared.telemetry.trace_context import child_traceparent, current_traceparent

SOURCE = "members"


def enrolled(member: Member, identifiers: Sequence[Identifier], referred_by: UUID | None = None) -> list[Message]:
    """The enrolment, then its identifiers, in the given order."""
    subject = str(member.member_id)
    event = MemberEnrolled(
        id=new_id(),
        source=SOURCE,
        subject=subject,
        time=member.enrolled_at,
        traceparent=child_traceparent(current_traceparent()),
        data=_told(member).model_copy(update={"referred_by": referred_by}),
    )
    return [Message.of(event, MEMBERS.topic, subject), *map(linked, identifiers)]


def changed(member: Member, at: datetime) -> Message:
    """The member as it stands at its version."""
    event = MemberChanged(
        id=new_id(),
        source=SOURCE,
        subject=str(member.member_id),
        time=at,
        traceparent=child_traceparent(current_traceparent()),
        data=_told(member),
    )
    return Message.of(event, MEMBERS.topic, event.subject)


def erased(member_id: UUID, version: int, identifier_hashes: Sequence[str], at: datetime) -> Message:
    """Nobody is known behind the member any more; what the hashes led to is to be deleted everywhere."""
    event = MemberErased(
        id=new_id(),
        source=SOURCE,
        subject=str(member_id),
        time=at,
        traceparent=child_traceparent(current_traceparent()),
        data=ErasureData(member_id=member_id, version=version, identifier_hashes=tuple(identifier_hashes)),
    )
    return Message.of(event, MEMBERS.topic, event.subject)


def contact_changed(member_id: UUID, version: int, changed_at: datetime, told_at: datetime) -> Message:
    """The e-mail address has been another one since then; which, nobody is told."""
    event = ContactChanged(
        id=new_id(),
        source=SOURCE,
        subject=str(member_id),
        time=told_at,
        traceparent=child_traceparent(current_traceparent()),
        data=ContactData(member_id=member_id, version=version, changed_at=changed_at),
    )
    return Message.of(event, MEMBERS.topic, event.subject)


def status_changed(member: Member, change: StatusChange) -> Message:
    """What the member may do from now on, and why."""
    event = MemberStatusChanged(
        id=new_id(),
        source=SOURCE,
        subject=str(member.member_id),
        time=change.changed_at,
        traceparent=child_traceparent(current_traceparent()),
        data=StatusData(**_told(member).model_dump(), reason_code=change.reason_code),
    )
    return Message.of(event, MEMBERS.topic, event.subject)


def linked(identifier: Identifier, at: datetime | None = None) -> Message:
    """An identifier that a till can read belongs to a member, since it was linked or, again, since ``at``."""
    subject = str(identifier.member_id)
    event = IdentifierLinked(
        id=new_id(),
        source=SOURCE,
        subject=subject,
        time=at or identifier.linked_at,
        traceparent=child_traceparent(current_traceparent()),
        data=IdentifierData(
            member_id=identifier.member_id,
            identifier_hash=identifier.hash,
            identifier_type=identifier.type,
            state=identifier.state,
            version=identifier.version,
            linked_at=identifier.linked_at,
        ),
    )
    return Message.of(event, MEMBERS.topic, subject)


def consent_changed(transaction: Transaction, consent: Consent) -> Message:
    """A consent as it holds now; who said so, where, and by what proof stays here."""
    statement = consent.statement
    subject = str(statement.key.member_id)
    event = ConsentChanged(
        id=new_id(),
        source=SOURCE,
        subject=subject,
        time=transaction.now,
        traceparent=child_traceparent(current_traceparent()),
        data=ConsentData(
            member_id=statement.key.member_id,
            version=consent.version,
            purpose=statement.key.purpose,
            channel=statement.key.channel,
            partner_id=statement.key.partner_id,
            is_granted=statement.is_granted,
            text_version=statement.text_version,
            stated_at=statement.stated_at,
        ),
    )
    return Message.of(event, MEMBERS.topic, subject)


def _told(member: Member) -> MemberData:
    return MemberData(
        member_id=member.member_id,
        version=member.version,
        status=member.status,
        language=member.language,
        region=member.region,
        birth_month=member.birth_month,
        birth_day=member.birth_day,
        household_id=member.household_id,
        enrolled_at=member.enrolled_at,
    )
