"""Say who it is whose card joined first."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.members.domain.accesses import Access
from services.members.domain.data_quality import filled_fields
from services.members.domain.errors import AlreadyEnrolledError, MemberNotFoundError, PersonKnownError
from services.members.domain.joining import judge_person
from services.members.domain.persons import judge_birth_date
from services.members.domain.registry import Member, Person
from services.members.domain.statuses import judge_open
from services.members.repository import accesses, data_quality, duplicates, joining, persons, rectification, registry
from services.members.sealing.identifiers import seal_text
from services.members.sealing.master_keys import MasterKeys
from services.members.sealing.persons import open_person, seal_person
from services.members.use_cases import announcements
from services.members.use_cases.open_key import open_key
from services.members.use_cases.withdraw_confirmed import withdraw_confirmed
from shared import outbox
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Told:
    """Who a member is, as a client says."""

    member_id: UUID
    person: Person
    email_hashes: Sequence[str]
    told_by: str


async def tell_person(transaction: Transaction, told: Told, master_keys: MasterKeys) -> Member:
    """Write the person, record MemberChanged; the member as it stands then. Locks the e-mail's hashes, then the member.

    Idempotent: the same person told again is no change, and nothing is recorded. What was confirmed over e-mail while
    no address was known was not confirmed for this one, and is withdrawn.

    Raises:
        MemberNotFoundError, MemberGoneError: there is no such member, or not any more.
        PersonKnownError: another one was told already: correct it instead.
        AlreadyEnrolledError: the e-mail address is another member's: the two may be one person.
        BornLaterError, JoiningRefusedError: the conditions of joining hold for whoever is told later, too.
    """
    is_granted = await rectification.claim_email(transaction, told.member_id, told.email_hashes)
    member = await registry.lock_member(transaction, told.member_id)
    if member is None:
        raise MemberNotFoundError("there is no such member")
    judge_open(member.status)
    key = await open_key(transaction, told.member_id, master_keys)
    known = await persons.find_sealed(transaction, told.member_id)
    if known is not None:
        if open_person(key, known) == told.person:
            return member
        raise PersonKnownError("it is known already who this member is: correct it by PATCH /v1/members/{id}")
    if not is_granted:
        raise AlreadyEnrolledError("a member with this e-mail address is enrolled already")
    born, today = told.person.birth_date, transaction.now.date()
    judge_birth_date(born, today)
    judge_person(await joining.conditions_in_force(transaction), told.person, member.region, today)
    changed = await persons.save_person(
        transaction,
        told.member_id,
        seal_person(key, told.person),
        None if born is None else born.month,
        None if born is None else born.day,
    )
    await rectification.seal_email(transaction, told.email_hashes, seal_text(key, told.person.email))
    filled = filled_fields(told.person)
    await data_quality.note_person(transaction, told.member_id, filled, filled)
    await duplicates.await_comparison(transaction, told.member_id)
    await accesses.record_access(transaction, Access(told.member_id, told.told_by, "rectification", "rectification"))
    await outbox.record(transaction, [announcements.changed(changed, transaction.now)])
    await withdraw_confirmed(transaction, told.member_id, told.told_by)
    return changed
