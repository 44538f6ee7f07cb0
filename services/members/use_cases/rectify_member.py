"""Correct what is known of a person."""

from services.members.domain.accesses import Access
from services.members.domain.data_quality import filled_fields, restated_fields
from services.members.domain.duplicates import is_compared_equal
from services.members.domain.errors import AlreadyEnrolledError, MemberNotFoundError, PersonUnknownError
from services.members.domain.rectification import Rectification, is_other_address, rectified
from services.members.domain.registry import Member
from services.members.domain.statuses import judge_open
from services.members.repository import accesses, data_quality, duplicates, rectification, registry
from services.members.sealing.identifiers import seal_text
from services.members.sealing.master_keys import MasterKeys
from services.members.sealing.persons import open_person, seal_person
from services.members.use_cases import announcements
from services.members.use_cases.withdraw_confirmed import withdraw_confirmed
from shared import outbox
from shared.database import Transaction
from shared.web import require_version


async def rectify_member(transaction: Transaction, change: Rectification, master_keys: MasterKeys) -> Member:
    """Write what was corrected, record MemberChanged, and keep who did it; the member as it stands then.

    Of two who read the same version one wins. An e-mail address moves in the same step: the new one is claimed like
    an identifier and the old one is free. What is as it was is no change, and nothing is recorded.
    Whoever has another name, date of birth or address is compared anew, dismissed pairs included.
    With another e-mail address every consent that was confirmed for the old one is withdrawn, and told; a letter that
    went to the old one confirms nothing any more. That it is another one is told, too (ContactChanged), without it.

    Raises:
        MemberNotFoundError: there is no such member, or nobody is known behind it any more.
        VersionChangedError: it was changed since the author read it.
        MemberGoneError: merged, closed or erased.
        PersonUnknownError: a card joined first, and nobody has said whose it is.
        AlreadyEnrolledError: the new e-mail address is another member's.
        BornLaterError: the date of birth is not there yet.
    """
    member_id, email_hashes = change.member_id, change.email_hashes
    is_granted = not email_hashes or await rectification.claim_email(transaction, member_id, email_hashes)
    locked = await registry.lock_member(transaction, member_id)
    if locked is None:
        raise MemberNotFoundError("there is no such member")
    require_version(change.version, locked.version)
    judge_open(locked.status)
    if not is_granted:
        raise AlreadyEnrolledError("a member with this e-mail address is enrolled already")
    found = await registry.find_member(transaction, member_id)
    if found is None:
        raise MemberNotFoundError("there is no such member")
    if found[1] is None:
        raise PersonUnknownError("nobody has said yet who this member is: PUT /v1/members/{id}/person does")
    key = master_keys.unwrap(found[1].key, member_id)
    person = open_person(key, found[1].sealed)
    new_member, new_person = rectified(locked, person, change, transaction.now.date())
    if new_member.version == locked.version:
        return locked
    if email_hashes:
        await rectification.seal_email(transaction, email_hashes, seal_text(key, new_person.email))
        await rectification.drop_other_emails(transaction, member_id, email_hashes)
    await rectification.save_rectified(transaction, new_member, seal_person(key, new_person))
    await data_quality.note_person(
        transaction, member_id, filled_fields(new_person), restated_fields(person, new_person)
    )
    if not is_compared_equal(person, new_person):
        await duplicates.await_comparison(transaction, member_id)
    await accesses.record_access(transaction, Access(member_id, change.changed_by, "rectification", "rectification"))
    messages = [announcements.changed(new_member, transaction.now)]
    is_moved = is_other_address(person, new_person)
    if is_moved:
        await rectification.note_contact_change(transaction, member_id)
        messages.append(announcements.contact_changed(member_id, new_member.version, transaction.now, transaction.now))
    await outbox.record(transaction, messages)
    if is_moved:
        await withdraw_confirmed(transaction, member_id, change.changed_by)
    return new_member
