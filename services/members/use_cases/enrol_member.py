"""Enrol a person: from now on there is a member, and tills know the member's identifiers."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.members.domain.linking import distinct_claims, judge_enrolment
from services.members.domain.registry import FIRST_VERSION, Claim, Identifier, Member, Person
from services.members.repository import registry
from services.members.use_cases import announcements
from shared import outbox
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Who wants to join. ``member_id`` is new; ``enrolled_by`` is the API client that says so."""

    member_id: UUID
    person: Person
    email_hash: str
    language: str
    region: str | None
    claims: Sequence[Claim]
    enrolled_by: str


async def enrol_member(transaction: Transaction, enrolment: Enrolment) -> tuple[Member, list[Identifier]]:
    """Write the member, the person and the identifiers, and record MemberEnrolled, then one IdentifierLinked each.

    An identifier that is named twice is linked once. Two enrolments that want the same e-mail address or identifier
    wait for each other; one wins.

    Raises:
        AlreadyEnrolledError, IdentifierTakenError: the transaction must be rolled back.
    """
    claims = distinct_claims(enrolment.claims)
    member = Member(
        member_id=enrolment.member_id,
        status="active",
        language=enrolment.language,
        region=enrolment.region,
        version=FIRST_VERSION,
        enrolled_at=transaction.now,
    )
    granted = await registry.insert_member(
        transaction, member, enrolment.person, enrolment.email_hash, claims, enrolment.enrolled_by
    )
    judge_enrolment(enrolment.email_hash, claims, granted)
    identifiers = [
        Identifier(claim.hash, claim.type, member.member_id, "active", FIRST_VERSION, transaction.now)
        for claim in claims
    ]
    await outbox.record(transaction, announcements.enrolled(member, identifiers))
    return member, identifiers
