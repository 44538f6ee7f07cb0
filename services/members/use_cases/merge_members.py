"""Two members turn out to be one person: one stays and answers for both, for ever."""

from collections.abc import Collection
from dataclasses import replace

from services.members.domain.consents import Consent
from services.members.domain.merging import (
    MergeRequest,
    joined_consents,
    joined_member,
    judge_merge,
    judge_pair,
)
from services.members.domain.registry import Member
from services.members.domain.statuses import StatusChange, judge_reason
from services.members.repository import attributes, consents, merging, registry, statuses
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases import announcements, merge_announcements
from services.members.use_cases.attribute_announcements import attribute_changed
from services.members.use_cases.household_membership import end_membership, lock_household_of
from services.members.use_cases.join_sealed import join_sealed
from services.members.use_cases.read_consents import CONSENTS_MAX
from shared import outbox
from shared.database import Transaction
from shared.database.errors import StartAgainError


async def merge_members(
    transaction: Transaction, request: MergeRequest, master_keys: MasterKeys, declared_reasons: Collection[str]
) -> Member:
    """Let one member answer for another; the survivor as it stands then.

    Identifiers, e-mail addresses, consents, confirmations, acceptances and attributes go over, with their histories.
    The survivor's own person stays, filled where the other one knew more; the other one's is deleted with its key.
    MembersMerged comes first among the events, then the identifiers, then what changed of the survivor. Idempotent:
    merged this way before is answered as it stands, and nothing happens.

    The one that goes leaves its household; the survivor's stays.

    Locks the identifiers of the one that goes, then its household, then both members in the order of their ids.

    Raises:
        UnknownReasonError, MergeIntoItselfError, MemberNotFoundError, MemberMergedError, MemberGoneError,
        MergeLiftsLimitError: nothing is changed.
        StartAgainError: an identifier was linked, or a household left, while the members were waited for.
    """
    judge_reason(request.reason_code, declared_reasons)
    judge_pair(request)
    locked = await merging.lock_identifiers(transaction, request.merged_id)
    household = await lock_household_of(transaction, request.merged_id)
    both = await registry.lock_members(transaction, {request.survivor_id, request.merged_id})
    survivor, merged = both.get(request.survivor_id), both.get(request.merged_id)
    is_new = judge_merge(survivor, merged)
    if survivor is None or merged is None:
        raise AssertionError("unreachable: both were judged")
    if not is_new:
        return survivor
    if await merging.load_hashes(transaction, request.merged_id) != locked:
        raise StartAgainError("an identifier was linked meanwhile")
    person = await join_sealed(transaction, request, master_keys)
    joined = joined_member(survivor, person)
    change = StatusChange(
        member_id=merged.member_id,
        version=merged.version + 1,
        from_status=merged.status,
        to_status="merged",
        reason_code=request.reason_code,
        changed_by=request.author,
        changed_at=transaction.now,
    )
    await statuses.save_change(transaction, change)
    await merging.name_survivor(transaction, merged.member_id, joined)
    identifiers = await merging.move_identifiers(transaction, request)
    changed_consents = await _join_consents(transaction, request)
    messages = merge_announcements.merged(transaction, request, joined, change.version, identifiers)
    if (joined.birth_month, joined.birth_day) != (survivor.birth_month, survivor.birth_day):
        messages.append(announcements.changed(joined, transaction.now))
    messages += [announcements.consent_changed(transaction, consent) for consent in changed_consents]
    values = await attributes.load_told(transaction, [request.survivor_id])
    messages += [attribute_changed(transaction, value) for value in values]
    messages += await end_membership(transaction, household, replace(merged, version=change.version), request.author)
    await outbox.record(transaction, messages)
    return joined


async def _join_consents(transaction: Transaction, request: MergeRequest) -> list[Consent]:
    held, brought = [
        await consents.load_consents(transaction, member_id, only_partner=None, rows_max=CONSENTS_MAX)
        for member_id in (request.survivor_id, request.merged_id)
    ]
    changed = joined_consents(request.survivor_id, held, brought)
    await merging.move_statements(transaction, request)
    for consent in changed:
        await consents.save_consent(transaction, consent)
    return changed
