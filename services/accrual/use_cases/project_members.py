"""Projects members and identifiers, merges the points of two who are one, and lets go the receipts that waited."""

from collections.abc import Iterator, Sequence

from services.accrual.domain.standing import WAITING_STATUSES
from services.accrual.repository import parked, projections
from services.accrual.use_cases.release_parked import release_parked
from shared import ledger
from shared.database import Transaction
from shared.events.members import (
    IdentifierLinked,
    IdentifierRevoked,
    MemberEvent,
    MembersMerged,
    MemberStated,
    MergeData,
)


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

    Idempotent: a row only moves to a higher version. A receipt that is being parked meets us in a meeting row, or in
    the row of a member whose status lets it wait: it either sees the news, or is seen by it.

    A merge moves the points and names the survivor in the same transaction, once for ever (``ledger.merge``).
    """
    members = [event.data for event in events if isinstance(event, MemberStated)]
    identifiers = [event.data for event in events if isinstance(event, IdentifierLinked | IdentifierRevoked)]
    # A lost or replaced card spends nothing, but its receipts are still the member's: they may have been on their way.
    hashes = {identifier.identifier_hash for identifier in identifiers if identifier.state != "blocked"}
    waits_for = {parked.waits_for_member(member.member_id) for member in members}
    waits_for |= {parked.waits_for_identifier(identifier_hash) for identifier_hash in hashes}
    merges = [event.data for event in events if isinstance(event, MembersMerged)]
    merged = {parked.waits_for_member(merge.merged_member_id) for merge in merges}
    await parked.meet(transaction, waits_for | merged)
    if merges:  # all rows of members at once, in their order, before those that follow are written
        both = {member_id for merge in merges for member_id in (merge.member_id, merge.merged_member_id)}
        await projections.lock_members(transaction, both | {member.member_id for member in members})
    if members:
        await projections.save_members(transaction, members)
        # As they stand after this batch: an old event replayed must not let go what waits for a suspension's end.
        standing = await projections.lock_members(transaction, {member.member_id for member in members})
        waits_for -= {parked.waits_for_member(key) for key, status in standing.items() if status in WAITING_STATUSES}
    if identifiers:
        await projections.save_identifiers(transaction, identifiers)
    await _merge(transaction, merges)
    # Whose they are after this batch: an old event replayed must not hand receipts to a former owner.
    owners = await projections.find_members(transaction, hashes) if hashes else {}
    waits_for -= {parked.waits_for_identifier(identifier_hash) for identifier_hash in hashes - owners.keys()}
    return await release_parked(transaction, waits_for | merged, owners)


async def _merge(transaction: Transaction, merges: Sequence[MergeData]) -> None:
    if merges:
        await projections.save_merged(transaction, merges)
    for merge in merges:
        await ledger.merge(transaction, merge.merged_member_id, merge.member_id)
