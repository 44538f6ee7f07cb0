"""Erase a person: the member stays as a number in the ledger, and nothing leads from it to anybody."""

from collections.abc import Collection
from dataclasses import replace

from services.members.domain.erasure import Erasure, ErasureRequest
from services.members.domain.errors import MemberNotFoundError
from services.members.domain.statuses import StatusChange, judge_change, judge_reason
from services.members.repository import erasure, registry, statuses
from services.members.use_cases import announcements
from services.members.use_cases.household_membership import end_membership, lock_household_of
from shared import outbox
from shared.database import Transaction
from shared.runtime import dead_letters


async def erase_member(transaction: Transaction, request: ErasureRequest, declared_reasons: Collection[str]) -> Erasure:
    """Destroy the member's key, the person, every hash and what else leads to them, and record MemberErased.

    The event names the hashes of all the member's identifiers, in whatever state, so that the others delete them too;
    it stands in the outbox until it is relayed. Idempotent: who was erased before is answered as then, and nothing
    happens. Nothing can be linked to the member meanwhile or afterwards. What is left of members that were merged into
    this one goes with it; they stay merged, and MemberErased is recorded of each of them too, with the same hashes: a
    link of theirs that is heard of late must not bring one back. The member leaves its household, which is locked
    before any member.

    Raises:
        UnknownReasonError: the programme does not declare the reason.
        MemberNotFoundError: there never was such a member.
        StartAgainError: the member's household changed while the member was waited for.
        MemberMergedError: another member answers for this one, and is the one to erase.
    """
    judge_reason(request.reason_code, declared_reasons)
    member_id = request.member_id
    hashes = await erasure.lock_hashes(transaction, member_id)
    household = await lock_household_of(transaction, member_id)
    answered_for = await erasure.lock_answered_for(transaction, member_id)
    member = await registry.lock_member(transaction, member_id)
    if member is None:
        raise MemberNotFoundError("there is no such member")
    if member.status == "erased":
        (last,) = await statuses.load_changes(transaction, member_id, before_version=None, rows_max=1)
        return Erasure(member_id, last.version, last.changed_at)
    judge_change(member.status, "erased")
    erased = replace(member, status="erased", version=member.version + 1)
    change = StatusChange(
        member_id=member_id,
        version=erased.version,
        from_status=member.status,
        to_status="erased",
        reason_code=request.reason_code,
        changed_by=request.erased_by,
        changed_at=transaction.now,
    )
    await statuses.save_change(transaction, change)
    await erasure.destroy(transaction, member_id, hashes)
    await dead_letters.erase(transaction, [*map(str, answered_for), *(held.hash for held in hashes)])
    known = [held.hash for held in hashes if not held.is_email]
    messages = await end_membership(transaction, household, erased, request.erased_by)
    gone = [(member_id, erased.version), *await erasure.raise_answered_for(transaction, member_id)]
    messages = [announcements.erased(each, version, known, transaction.now) for each, version in gone] + messages
    await outbox.record(transaction, messages)
    return Erasure(member_id, erased.version, transaction.now)
