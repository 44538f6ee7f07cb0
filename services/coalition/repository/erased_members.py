"""Tombstones of erased members. Otherwise coalition knows no members, but cards that operators have."""

from collections.abc import Collection
from uuid import UUID

from shared.database import Transaction

_SAVE = """
    insert into erased_members (member_id) select member_id from unnest($1::uuid[]) as erased (member_id)
    order by member_id
    on conflict (member_id) do nothing
    returning member_id
"""
# There is no row to lock before the erasure. Whoever asks waits for one that is under way, and one that comes waits.
_HOLD = "lock table erased_members in share mode"
_IS_ERASED = "select exists (select from erased_members where member_id = $1)"


async def save(transaction: Transaction, member_ids: Collection[UUID]) -> set[UUID]:
    """Put up tombstones; one that stands is left. Those whose erasure is news come back."""
    return {row["member_id"] for row in await transaction.raw.fetch(_SAVE, list(member_ids))}


async def is_erased(transaction: Transaction, member_id: UUID) -> bool:
    """Whether the member was erased; it stays so until the transaction ends."""
    await transaction.raw.execute(_HOLD)
    return bool(await transaction.raw.fetchval(_IS_ERASED, member_id))
