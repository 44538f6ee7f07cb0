"""Who answers for whom: an owner that was merged away has an alias, for ever, that names the survivor.

Chains are flat: where the survivor is merged in turn, the aliases that named it name the new one. The row is written
with the points (``merging``), by accrual alone: no other role may.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from shared.database.engine import RawConnection, Transaction

# Whoever makes an account shares this lock of its owner, a merge has it alone: else an account could be made while the
# merge that should have emptied it commits.
_GUARD = """
    select {lock}(hashtextextended('ledger owner ' || owner_id::text, 0))
    from (
        select owner_id from unnest($1::uuid[]) as named (owner_id)
        union
        select survivor_id from ledger_aliases where owner_id = any($1::uuid[])
        order by owner_id
    ) as guarded
"""
GUARD_SHARED = _GUARD.format(lock="pg_advisory_xact_lock_shared")
_GUARD_ALONE = _GUARD.format(lock="pg_advisory_xact_lock")

_FIND = "select owner_id, survivor_id from ledger_aliases where owner_id = any($1::uuid[])"

_SAVE = "insert into ledger_aliases (owner_id, survivor_id, merged_at) values ($1, $2, $3)"
_FLATTEN = "update ledger_aliases set survivor_id = $2 where survivor_id = $1"
_MARK = "update ledger_accounts set is_merged = true where owner_id = $1"


async def guard(connection: RawConnection, owner_ids: Sequence[UUID]) -> None:
    """Let nobody else merge these owners, and nobody make accounts of theirs, to the commit."""
    await connection.execute(_GUARD_ALONE, owner_ids)


async def find_survivors(transaction: Transaction, owner_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Who answers for those of these owners that were merged away, as last committed; the others are absent."""
    rows = await transaction.raw.fetch(_FIND, list(owner_ids))
    return {row["owner_id"]: row["survivor_id"] for row in rows}


async def save(transaction: Transaction, merged_id: UUID, survivor_id: UUID) -> None:
    """Let ``survivor_id`` answer for ``merged_id``, and for everybody for whom that one answered."""
    await transaction.raw.execute(_MARK, merged_id)
    await transaction.raw.execute(_FLATTEN, merged_id, survivor_id)
    await transaction.raw.execute(_SAVE, merged_id, survivor_id, transaction.now)
