"""Statements on pairs of members who may be one person. Members are locked before anything here is written.

Only ``dismiss`` takes no member's lock: it changes one row, and whoever changes more of them holds the members.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.members.domain.duplicates import Candidate, Dismissal, Duplicate, DuplicateState, Likeness
from services.members.domain.sealed import SealedPerson, WrappedKey
from shared.database import Transaction

_OPEN = "('active', 'suspended', 'earn_only', 'spend_locked')"

# Somebody whose row is locked, by another worker or by whoever changes it, waits for the next pass. The person is read
# by a statement of its own: one that comes to lock a changed row would have read an old person beside it.
LOCK_AWAITED = """
    select member_id
    from awaited_comparisons
        join members using (member_id)
    where member_id > $1
    order by member_id
    limit $2
    for no key update of members skip locked
"""

SAVE_BLOCKS = """
    with gone as (
        delete from person_blocks
        where member_id = any($1::uuid[])
            and (member_id, block) not in (select * from unnest($2::uuid[], $3::bigint[]))
    )
    insert into person_blocks (member_id, block)
    select member_id, block from unnest($2::uuid[], $3::bigint[]) as shared (member_id, block)
    order by member_id, block
    on conflict do nothing
"""

# One more than a block may have tells that it has too many.
LOAD_SHARED = """
    select array(
        select member_id from person_blocks as sharing where sharing.block = wanted.block limit $2 + 1
    ) as member_ids
    from (select distinct block from person_blocks where member_id = any($1::uuid[])) as wanted
"""

LOAD_PERSONS = f"""
    select member_id, version, master_key_id, wrapped_key, sealed
    from members
        join persons using (member_id)
        join member_keys using (member_id)
    where member_id = any($1::uuid[]) and status in {_OPEN}
"""

LOCK_VERSIONS = """
    select member_id, version from members where member_id = any($1::uuid[]) order by member_id for no key update
"""

# A pair that was dismissed stays so; one of which a person was corrected is looked at anew.
SAVE_CANDIDATES = """
    insert into duplicates (duplicate_id, first_member_id, second_member_id, state, score_percent, agreeing_fields,
                            found_at)
    select uuidv7(), first_member_id, second_member_id, 'open', score_percent, string_to_array(agreeing_fields, ','), $5
    from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::text[])
        as found (first_member_id, second_member_id, score_percent, agreeing_fields)
    order by first_member_id, second_member_id
    on conflict (first_member_id, second_member_id) do update
        set state = 'open', score_percent = excluded.score_percent, agreeing_fields = excluded.agreeing_fields,
            found_at = excluded.found_at
        where duplicates.state = 'outdated'
"""

SETTLE_AWAITED = "delete from awaited_comparisons where member_id = any($1::uuid[])"

# What was found about the person that was known before is worth nothing now, whoever dismissed it.
AWAIT_COMPARISON = """
    with gone as (
        delete from person_blocks where member_id = $1
    ),
    outdated as (
        update duplicates set state = 'outdated'
        where (first_member_id = $1 or second_member_id = $1) and state in ('open', 'dismissed')
    )
    insert into awaited_comparisons (member_id) values ($1) on conflict do nothing
"""

# Whom somebody found to be another one than the one that goes is another one than the survivor.
MOVE_DISMISSED = """
    update duplicates
    set first_member_id = least($2::uuid, other_id), second_member_id = greatest($2::uuid, other_id)
    from (
        select duplicate_id, case first_member_id when $1 then second_member_id else first_member_id end as other_id
        from duplicates
        where (first_member_id = $1 or second_member_id = $1) and state = 'dismissed'
    ) as dismissed
    where duplicates.duplicate_id = dismissed.duplicate_id
        and other_id <> $2
        and not exists (
            select from duplicates as own
            where own.first_member_id = least($2::uuid, other_id)
                and own.second_member_id = greatest($2::uuid, other_id)
        )
"""
FORGET_MERGED = """
    with gone as (
        delete from person_blocks where member_id = $1
    ),
    settled as (
        delete from awaited_comparisons where member_id = $1
    )
    delete from duplicates where first_member_id = $1 or second_member_id = $1
"""

LOAD_OPEN = f"""
    select duplicate_id, first_member_id, second_member_id, score_percent, agreeing_fields, found_at
    from duplicates
        join members as one on one.member_id = first_member_id
        join members as other on other.member_id = second_member_id
    where state = 'open'
        and one.status in {_OPEN}
        and other.status in {_OPEN}
        and ($1::smallint is null or score_percent < $1 or (score_percent = $1 and duplicate_id > $2::uuid))
    order by score_percent desc, duplicate_id
    limit $3
"""

DISMISS = """
    update duplicates set state = 'dismissed', reason_code = $2, dismissed_by = $3, dismissed_at = $4
    where duplicate_id = $1 and state = 'open'
    returning duplicate_id
"""
FIND_STATE = "select state, reason_code, dismissed_by, dismissed_at from duplicates where duplicate_id = $1"


@dataclass(frozen=True, slots=True)
class SealedMember:
    """A member at a version, and the person behind it."""

    member_id: UUID
    version: int
    person: SealedPerson


async def lock_awaited(transaction: Transaction, after: UUID, rows_max: int) -> list[UUID]:
    """Members who are still to be compared, locked, in the order of their ids; those locked already are passed over."""
    return [row["member_id"] for row in await transaction.raw.fetch(LOCK_AWAITED, after, rows_max)]


async def save_blocks(transaction: Transaction, blocks: Mapping[UUID, Collection[int]]) -> None:
    """Let locked members have these blocks and no others."""
    pairs = [(member_id, block) for member_id, each in blocks.items() for block in each]
    members = [member_id for member_id, _ in pairs]
    await transaction.raw.execute(SAVE_BLOCKS, list(blocks), members, [block for _, block in pairs])


async def load_shared(
    transaction: Transaction, member_ids: Collection[UUID], members_max: int
) -> tuple[list[list[UUID]], int]:
    """Who shares a block with one of these, block by block; and how many blocks have more than ``members_max``."""
    found = [row["member_ids"] for row in await transaction.raw.fetch(LOAD_SHARED, list(member_ids), members_max)]
    usable = [members for members in found if 1 < len(members) <= members_max]
    return usable, sum(len(members) > members_max for members in found)


async def load_persons(transaction: Transaction, member_ids: Collection[UUID]) -> list[SealedMember]:
    """Those of the members who take part and whose person is known."""
    return [_sealed(row) for row in await transaction.raw.fetch(LOAD_PERSONS, list(member_ids))]


async def lock_versions(transaction: Transaction, member_ids: Collection[UUID]) -> dict[UUID, int]:
    """The members' versions, locked in the order of ids."""
    rows = await transaction.raw.fetch(LOCK_VERSIONS, list(member_ids))
    return {row["member_id"]: row["version"] for row in rows}


async def save_candidates(transaction: Transaction, candidates: Sequence[Candidate]) -> None:
    """Put pairs of locked members into the list, unless they stand there or were dismissed."""
    await transaction.raw.execute(
        SAVE_CANDIDATES,
        [each.first_id for each in candidates],
        [each.second_id for each in candidates],
        [each.likeness.score_percent for each in candidates],
        [",".join(each.likeness.agreeing_fields) for each in candidates],
        transaction.now,
    )


async def settle_awaited(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Locked members were compared."""
    await transaction.raw.execute(SETTLE_AWAITED, list(member_ids))


async def await_comparison(transaction: Transaction, member_id: UUID) -> None:
    """The person of a locked member is another one than it was: compare it, and forget what was found before."""
    await transaction.raw.execute(AWAIT_COMPARISON, member_id)


async def settle_merged(transaction: Transaction, *, merged_id: UUID, survivor_id: UUID) -> None:
    """Two locked members are one: nothing is kept of the one that goes, but that it was found not to be somebody."""
    await transaction.raw.execute(MOVE_DISMISSED, merged_id, survivor_id)
    await transaction.raw.execute(FORGET_MERGED, merged_id)


async def load_open(transaction: Transaction, *, position: tuple[int, UUID] | None, rows_max: int) -> list[Duplicate]:
    """The open pairs of members who take part, the most alike first, from ``position`` in that order on."""
    rows = await transaction.raw.fetch(LOAD_OPEN, *(position or (None, None)), rows_max)
    return [_duplicate(row) for row in rows]


async def dismiss(transaction: Transaction, dismissal: Dismissal) -> bool:
    """Dismiss an open pair; whether it was open."""
    arguments = (dismissal.reason_code, dismissal.dismissed_by, dismissal.dismissed_at)
    return await transaction.raw.fetchrow(DISMISS, dismissal.duplicate_id, *arguments) is not None


async def find_state(transaction: Transaction, duplicate_id: UUID) -> tuple[DuplicateState, Dismissal | None] | None:
    """How a pair stands, and who dismissed it last."""
    row = await transaction.raw.fetchrow(FIND_STATE, duplicate_id)
    if row is None:
        return None
    if row["dismissed_by"] is None:
        return row["state"], None
    return row["state"], Dismissal(duplicate_id, row["reason_code"], row["dismissed_by"], row["dismissed_at"])


def _sealed(row: asyncpg.Record) -> SealedMember:
    key = WrappedKey(row["master_key_id"], row["wrapped_key"])
    return SealedMember(row["member_id"], row["version"], SealedPerson(key, row["sealed"]))


def _duplicate(row: asyncpg.Record) -> Duplicate:
    likeness = Likeness(row["score_percent"], tuple(row["agreeing_fields"]))
    candidate = Candidate(row["first_member_id"], row["second_member_id"], likeness)
    return Duplicate(row["duplicate_id"], candidate, row["found_at"])
