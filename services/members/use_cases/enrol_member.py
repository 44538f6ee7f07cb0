"""Enrol a person: from now on there is a member, and tills know the member's identifiers."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.members.domain.linking import distinct_claims, judge_enrolment
from services.members.domain.persons import judge_birth_date
from services.members.domain.registry import FIRST_VERSION, Claim, Identifier, Member, Person
from services.members.domain.sealed import SealedPerson
from services.members.repository import registry
from services.members.sealing.master_keys import MasterKeys
from services.members.sealing.member_keys import MemberKey
from services.members.sealing.persons import seal_person
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


async def enrol_member(
    transaction: Transaction, enrolment: Enrolment, master_keys: MasterKeys
) -> tuple[Member, list[Identifier]]:
    """Write the member, the person and the identifiers, and record MemberEnrolled, then one IdentifierLinked each.

    The person is sealed under a new key of the member's own; nothing personal reaches the database. An identifier that
    is named twice is linked once. Two enrolments that want the same e-mail address or identifier wait for each other;
    one wins.

    Raises:
        BornLaterError: the date of birth is not there yet.
        AlreadyEnrolledError, IdentifierTakenError: the transaction must be rolled back.
    """
    claims = distinct_claims(enrolment.claims)
    born = enrolment.person.birth_date
    judge_birth_date(born, transaction.now.date())
    member = Member(
        member_id=enrolment.member_id,
        status="active",
        language=enrolment.language,
        region=enrolment.region,
        version=FIRST_VERSION,
        enrolled_at=transaction.now,
        birth_month=None if born is None else born.month,
        birth_day=None if born is None else born.day,
    )
    key = MemberKey.new(member.member_id)
    person = SealedPerson(master_keys.wrap(key), seal_person(key, enrolment.person))
    granted = await registry.insert_member(
        transaction, member, person, enrolment.email_hash, claims, enrolment.enrolled_by
    )
    judge_enrolment(enrolment.email_hash, claims, granted)
    identifiers = [
        Identifier(claim.hash, claim.type, member.member_id, "active", FIRST_VERSION, transaction.now)
        for claim in claims
    ]
    await outbox.record(transaction, announcements.enrolled(member, identifiers))
    return member, identifiers
