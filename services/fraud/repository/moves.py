"""Receipts that changed their member: whose each is, and where it was decided."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.database import Transaction

# The row is written under the lock of the windows between which the receipt goes.
_SAVE = """
    insert into receipt_moves (receipt_key, number, member_id, moved_at)
    select receipt_key, number, member_id, moved_at
    from unnest($1::bytea[], $2::bigint[], $3::uuid[], $4::timestamptz[])
        as heard (receipt_key, number, member_id, moved_at)
    order by receipt_key  -- two batches that insert in different orders would deadlock
    on conflict (receipt_key) do update
        set number = excluded.number, member_id = excluded.member_id, moved_at = excluded.moved_at
        where receipt_moves.number < excluded.number
"""
# Under the survivors of whom was merged away.
_PLACES = """
    with moved as (
        select receipt_key, greatest(heard.number, known.number) as number,
            case when known.number >= heard.number then known.member_id else heard.member_id end as member_id
        from unnest($1::bytea[], $2::bigint[], $3::uuid[]) as heard (receipt_key, number, member_id)
            left join receipt_moves as known using (receipt_key)
    )
    select moved.receipt_key, moved.number,
        coalesce(owner.merged_into, moved.member_id) as owner_id,
        coalesce(decider.merged_into, decisions.member_id) as decided_of,
        decisions.moves < moved.number as is_behind
    from moved
        left join member_windows as owner on owner.member_id = moved.member_id
        left join decisions on decisions.receipt_key = moved.receipt_key
        left join member_windows as decider on decider.member_id = decisions.member_id
    order by moved.receipt_key
"""
_HAS_CHANGED = """
    select exists (select from member_windows where member_id = any($1::uuid[]) and merged_into is not null)
        or exists (
            select from receipt_moves join unnest($2::bytea[], $3::bigint[]) as known (receipt_key, number)
                using (receipt_key)
            where receipt_moves.number > known.number
        )
"""
# A hold that was asked for while the receipt was another member's.
_LIFT = """
    update holds set version = version + 1, action = 'release', ends_at = null, changed_at = $2
    from receipt_moves as moved
    where holds.receipt_key = any($1::bytea[]) and holds.action = 'hold'
        and moved.receipt_key = holds.receipt_key and holds.moves < moved.number
    returning holds.receipt_key, holds.version, holds.case_id
"""


class HeardMove(NamedTuple):
    """The last move of a receipt that a batch tells."""

    receipt_key: bytes
    number: int
    member_id: UUID
    moved_at: datetime


class Place(NamedTuple):
    """Whose a moved receipt is, and of whom it was decided, if it was; ``is_behind``: not since it is theirs."""

    receipt_key: bytes
    number: int
    owner_id: UUID
    decided_of: UUID | None
    is_behind: bool | None


class Lifted(NamedTuple):
    """A hold that ended because its receipt is another member's."""

    receipt_key: bytes
    version: int
    case_id: UUID


async def save(transaction: Transaction, heard: Sequence[HeardMove]) -> None:
    """Keep moves of distinct receipts, each if it is later than the one that is known."""
    await transaction.raw.execute(_SAVE, *(list(column) for column in zip(*heard, strict=True)))


async def find_places(transaction: Transaction, heard: Sequence[HeardMove]) -> list[Place]:
    """Where the receipts of these moves stand, by natural key: a later move may be known."""
    keys, numbers, members, _ = (list(column) for column in zip(*heard, strict=True))
    return [Place(*row) for row in await transaction.raw.fetch(_PLACES, keys, numbers, members)]


async def has_changed(transaction: Transaction, members: Collection[UUID], numbers: Mapping[bytes, int]) -> bool:
    """Whether one of these members was merged away, or one of these receipts moved more often than is said."""
    return bool(await transaction.raw.fetchval(_HAS_CHANGED, list(members), list(numbers), list(numbers.values())))


async def lift_former_holds(transaction: Transaction, keys: Collection[bytes]) -> list[Lifted]:
    """End what was asked for on these receipts' awards while they were another member's; each one version higher."""
    return sorted(Lifted(*row) for row in await transaction.raw.fetch(_LIFT, list(keys), transaction.now))
