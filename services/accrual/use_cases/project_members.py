"""Projects members and identifiers, merges the points of two who are one, and lets go the receipts that waited."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from uuid import UUID

from services.accrual.domain.standing import WAITING_STATUSES
from services.accrual.domain.tiers.scheme import TierSchemeHistory
from services.accrual.repository import (
    counted_days,
    member_attributes,
    member_versions,
    memberships,
    parked,
    projections,
    tier_schemes,
)
from services.accrual.use_cases.erase_members import erase_members
from services.accrual.use_cases.merge_tiers import merge_tiers
from services.accrual.use_cases.project_member_versions import project_member_attributes, project_member_versions
from services.accrual.use_cases.release_parked import release_parked
from shared import ledger, outbox
from shared.database import Transaction, retired_keys
from shared.database.errors import StartAgainError
from shared.events.members import (
    ErasureData,
    IdentifierData,
    IdentifierKeyRetired,
    IdentifierLinked,
    IdentifierRevoked,
    MemberAttributeChanged,
    MemberData,
    MemberEnrolled,
    MemberErased,
    MemberEvent,
    MembersMerged,
    MemberStated,
    MergeData,
)
from shared.ids import key_version_of
from shared.outbox import Message


def one_merge_each(events: Sequence[MemberEvent]) -> Iterator[Sequence[MemberEvent]]:
    """The same events in their order, cut after each merge: it locks two owners, and takes a transaction of its own."""
    start = 0
    for position, event in enumerate(events, 1):
        if isinstance(event, MembersMerged):
            yield events[start:position]
            start = position
    if start < len(events) or not events:
        yield events[start:]


async def project_members(transaction: Transaction, events: Sequence[MemberEvent]) -> int:
    """Take in what happened to members; how many parked receipts were released comes back.

    Idempotent: a row only moves to a higher version, and nothing moves that of an erased member any more. A receipt
    that is being parked meets us in a meeting row, or in the row of a member whose status lets it wait: it either sees
    the news, or is seen by it.

    A merge moves the points and names the survivor in the same transaction, once for ever (``ledger.merge``); tiers are
    made one beside it.
    """
    members = [event.data for event in events if isinstance(event, MemberStated)]
    identifiers = [event.data for event in events if isinstance(event, IdentifierLinked | IdentifierRevoked)]
    erasures = [event.data for event in events if isinstance(event, MemberErased)]
    merges = [event.data for event in events if isinstance(event, MembersMerged)]
    for key in [event.data for event in events if isinstance(event, IdentifierKeyRetired)]:
        await retired_keys.retire(transaction, key.key_version)
    told = {member.member_id for member in members} | {erasure.member_id for erasure in erasures}
    waits_for = set(map(parked.waits_for_member, told | {merge.merged_member_id for merge in merges}))
    hashes = {identifier.identifier_hash for identifier in identifiers}
    hashes |= {identifier_hash for erasure in erasures for identifier_hash in erasure.identifier_hashes}
    await parked.meet(transaction, waits_for | set(map(parked.waits_for_identifier, hashes)))
    # Whoever brought somebody is thanked in this transaction (``celebrate_members``).
    enrolled = [event.data for event in events if isinstance(event, MemberEnrolled)]
    thanked = {data.referred_by for data in enrolled if data.referred_by is not None}
    locked: set[UUID] = set()
    described = {event.data.member_id for event in events if isinstance(event, MemberAttributeChanged)}
    if (
        merges or thanked or described
    ):  # all rows of members at once, in their order, before those that follow are written
        both = {member_id for merge in merges for member_id in (merge.member_id, merge.merged_member_id)}
        survivors = await ledger.find_survivors(transaction, both)
        locked = both | told | thanked | described | set(survivors.values())
        await projections.lock_members(transaction, locked)
    merged = {parked.waits_for_member(merge.merged_member_id) for merge in merges}
    waits_for -= await _save_members(transaction, members, enrolment_times(events), erasures) - merged
    await project_member_versions(transaction, events)
    await project_member_attributes(transaction, events)
    owned = await _save_identifiers(transaction, identifiers) if identifiers else []
    await _merge(transaction, merges, locked)
    # A lost or replaced card spends nothing, but its receipts are still the member's: they may have been on their way.
    earning = {identifier.identifier_hash for identifier in owned if identifier.state != "blocked"}
    # Whose they are after this batch: an old event replayed must not hand receipts to a former owner.
    owners = await projections.find_members(transaction, earning) if earning else {}
    released = await release_parked(transaction, waits_for | set(map(parked.waits_for_identifier, owners)), owners)
    forgotten = hashes - {identifier.identifier_hash for identifier in owned}
    if forgotten:
        await parked.forget_meeting_rows(transaction, set(map(parked.waits_for_identifier, forgotten)))
    return released


def enrolment_times(events: Sequence[MemberEvent]) -> dict[UUID, datetime]:
    """When members joined, as far as these events tell it: older ones tell it of an enrolment alone, by their time."""
    times = {event.data.member_id: event.time for event in events if isinstance(event, MemberEnrolled)}
    stated = [event.data for event in events if isinstance(event, MemberStated)]
    return times | {data.member_id: data.enrolled_at for data in stated if data.enrolled_at is not None}


async def _save_members(
    transaction: Transaction,
    members: Sequence[MemberData],
    enrolled_at: Mapping[UUID, datetime],
    erasures: Sequence[ErasureData],
) -> set[str]:
    """Save members and erasures; the keys of those whose receipts go on waiting come back."""
    if members:
        await projections.save_members(transaction, members, enrolled_at)
    if erasures:
        await erase_members(transaction, erasures)
    if not members:
        return set()
    # As they stand after this batch: an old event replayed must not let go what waits for a suspension's end.
    standing = await projections.lock_members(transaction, {member.member_id for member in members})
    return {parked.waits_for_member(key) for key, status in standing.items() if status in WAITING_STATUSES}


async def _save_identifiers(transaction: Transaction, identifiers: Sequence[IdentifierData]) -> list[IdentifierData]:
    """Save identifiers, but for those of erased members and retired keys, which nothing may bring back; what was to be
    saved."""
    retired = await retired_keys.load(transaction)
    erased = await projections.find_erased(transaction, {identifier.member_id for identifier in identifiers})
    owned = [
        identifier
        for identifier in identifiers
        if identifier.member_id not in erased and key_version_of(identifier.identifier_hash) not in retired
    ]
    if owned:
        await projections.save_identifiers(transaction, owned)
    return owned


async def _merge(transaction: Transaction, merges: Sequence[MergeData], locked: AbstractSet[UUID]) -> None:
    """Make the points and the tiers of each pair one.

    Raises:
        StartAgainError: the survivor was merged away itself while we waited for its row.
    """
    if not merges:
        return
    await projections.save_merged(transaction, merges)
    schemes = TierSchemeHistory(await tier_schemes.load_newer(transaction, 0))
    told: list[Message] = []
    for merge in merges:
        await ledger.merge(transaction, merge.merged_member_id, merge.member_id)
        survivors = await ledger.find_survivors(transaction, [merge.merged_member_id])
        survivor_id = survivors[merge.merged_member_id]
        if survivor_id not in locked:
            raise StartAgainError("the survivor was merged away meanwhile")
        await counted_days.fold(transaction, merge.merged_member_id, survivor_id)
        await member_versions.forget(transaction, [merge.merged_member_id])
        await member_attributes.forget(transaction, [merge.merged_member_id])
        await memberships.fold(transaction, merge.merged_member_id, survivor_id)
        told += await merge_tiers(transaction, merge.merged_member_id, survivor_id, schemes)
    await outbox.record(transaction, told)
