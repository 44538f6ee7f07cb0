"""Enrol a person: from now on there is a member, and tills know the member's identifiers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.members.domain.data_quality import filled_fields
from services.members.domain.joining import Channel, Joining, JoiningConditions, judge_joining
from services.members.domain.linking import distinct_claims, judge_enrolment
from services.members.domain.persons import judge_birth_date
from services.members.domain.referral import ReferralCodeError, normal_code
from services.members.domain.registry import FIRST_VERSION, Claim, Identifier, Member, Person, newest_hashes
from services.members.repository import enrolments, joining
from services.members.repository.enrolments import NewIdentifier, NewMember
from services.members.sealing.identifiers import seal_text, seal_value
from services.members.sealing.master_keys import MasterKeys
from services.members.sealing.member_keys import MemberKey
from services.members.sealing.persons import seal_person
from services.members.use_cases import announcements
from services.members.use_cases.accept_terms import Accepted, accept_terms
from services.members.use_cases.admit_cards import admit_cards
from services.members.use_cases.record_consent import Said, record_said
from shared import outbox
from shared.database import Transaction
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Who wants to join. ``member_id`` is new; ``enrolled_by`` is the API client that says so.

    Without ``person`` and ``email_hashes`` a card joins first. ``accepted`` and ``said`` are its first words.
    """

    member_id: UUID
    channel: Channel
    person: Person | None
    email_hashes: Sequence[str]
    language: str
    region: str | None
    claims: Sequence[Claim]
    enrolled_by: str
    accepted: Accepted | None = None
    said: Sequence[Said] = ()
    referral_code: str | None = None


async def enrol_member(
    transaction: Transaction, enrolment: Enrolment, master_keys: MasterKeys
) -> tuple[Member, list[Identifier]]:
    """Write the member, the person and the identifiers, and record MemberEnrolled, then an IdentifierLinked
    for each hash.

    The person is sealed under a new key of the member's own; nothing personal reaches the database. An identifier that
    is named twice is linked once. Two enrolments that want the same e-mail address or identifier wait for each other;
    one wins. What the member accepts and allows on joining is kept in the same transaction, or nobody joins.

    Raises:
        BornLaterError, JoiningRefusedError, ReferralCodeError: nobody was enrolled.
        CardNotIssuedError: a card is of a range that may not be linked.
        AlreadyEnrolledError, IdentifierTakenError: the transaction must be rolled back.
        TermsNotPublishedError, ConsentTextUnknownError, StatedInFutureError: the same.
    """
    await admit_cards(transaction, enrolment.claims)
    new = new_member(enrolment, await joining.conditions_in_force(transaction), master_keys, transaction.now)
    referrer_id = await _referrer_of(transaction, enrolment)
    granted = await enrolments.insert_members(transaction, [new], enrolment.enrolled_by, enrolment.channel)
    judge_enrolment(new.email_hashes, new.claims, granted)
    if referrer_id is not None:
        await joining.save_referral(transaction, new.member.member_id, referrer_id)
    identifiers = identifiers_of(new, granted)
    await outbox.record(transaction, announcements.enrolled(new.member, identifiers, referrer_id))
    if enrolment.accepted is not None:
        await accept_terms(transaction, enrolment.accepted)
    for said in enrolment.said:
        await record_said(transaction, said)
    return new.member, newest_hashes(identifiers)


def new_member(
    enrolment: Enrolment, conditions: JoiningConditions, master_keys: MasterKeys, now: datetime
) -> NewMember:
    """What an enrolment comes to, if nobody has what it claims.

    Raises:
        BornLaterError: the date of birth is not there yet.
        JoiningRefusedError: a condition of the programme is not met.
    """
    person = enrolment.person
    born = None if person is None else person.birth_date
    judge_birth_date(born, now.date())
    asked = Joining(
        channel=enrolment.channel,
        person=person,
        region=enrolment.region,
        has_accepted_terms=enrolment.accepted is not None,
        granted={(said.key.purpose, said.key.channel) for said in enrolment.said if said.is_granted},
    )
    judge_joining(conditions, asked, now.date())
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
    return NewMember(
        member=member,
        key=master_keys.wrap(key),
        sealed=None if person is None else seal_person(key, person),
        email_hashes=enrolment.email_hashes,
        sealed_email=None if person is None else seal_text(key, person.email),
        identifiers=[NewIdentifier(one, new_id(), seal_value(key, one)) for one in distinct_claims(enrolment.claims)],
        filled=filled_fields(person),
    )


def identifiers_of(new: NewMember, granted: Mapping[str, int]) -> list[Identifier]:
    """What tills read of a new member, under every hash; ``granted`` are the versions that the hashes begin with."""
    member_id, linked_at = new.member.member_id, new.member.enrolled_at
    return [
        Identifier(claimed, one.claim.type, member_id, "active", granted[claimed], linked_at, one.identifier_id)
        for one in new.identifiers
        for claimed in one.claim.hashes
    ]


async def _referrer_of(transaction: Transaction, enrolment: Enrolment) -> UUID | None:
    if enrolment.referral_code is None:
        return None
    referrer_id = await joining.find_referrer(transaction, normal_code(enrolment.referral_code))
    if referrer_id is None:
        raise ReferralCodeError("/referral_code: nobody brings friends by this code (any more): leave it out")
    return referrer_id
