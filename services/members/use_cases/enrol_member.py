"""Enrol a person: from now on there is a member, and tills know the member's identifiers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.members.domain.data_quality import filled_fields
from services.members.domain.linking import distinct_claims, judge_enrolment
from services.members.domain.persons import judge_birth_date
from services.members.domain.registry import FIRST_VERSION, Claim, Identifier, Member, Person
from services.members.domain.sealed import SealedPerson
from services.members.repository import enrolments
from services.members.repository.enrolments import NewMember
from services.members.sealing.master_keys import MasterKeys
from services.members.sealing.member_keys import MemberKey
from services.members.sealing.persons import seal_person
from services.members.use_cases import announcements
from services.members.use_cases.admit_cards import admit_cards
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
        CardNotIssuedError: a card is of a range that may not be linked.
        AlreadyEnrolledError, IdentifierTakenError: the transaction must be rolled back.
    """
    await admit_cards(transaction, enrolment.claims)
    new = new_member(enrolment, master_keys, transaction.now)
    granted = await enrolments.insert_members(transaction, [new], enrolment.enrolled_by)
    judge_enrolment(new.email_hash, new.claims, granted)
    identifiers = identifiers_of(new, granted)
    await outbox.record(transaction, announcements.enrolled(new.member, identifiers))
    return new.member, identifiers


def new_member(enrolment: Enrolment, master_keys: MasterKeys, now: datetime) -> NewMember:
    """What an enrolment comes to, if nobody has what it claims.

    Raises:
        BornLaterError: the date of birth is not there yet.
    """
    born = enrolment.person.birth_date
    judge_birth_date(born, now.date())
    member = Member(
        member_id=enrolment.member_id,
        status="active",
        language=enrolment.language,
        region=enrolment.region,
        version=FIRST_VERSION,
        enrolled_at=now,
        birth_month=None if born is None else born.month,
        birth_day=None if born is None else born.day,
    )
    key = MemberKey.new(member.member_id)
    person = SealedPerson(master_keys.wrap(key), seal_person(key, enrolment.person))
    filled = filled_fields(enrolment.person)
    return NewMember(member, person, enrolment.email_hash, distinct_claims(enrolment.claims), filled)


def identifiers_of(new: NewMember, granted: Mapping[str, int]) -> list[Identifier]:
    """What tills read of a new member; ``granted`` are the versions that the hashes begin with."""
    member = new.member
    return [
        Identifier(claim.hash, claim.type, member.member_id, "active", granted[claim.hash], member.enrolled_at)
        for claim in new.claims
    ]
