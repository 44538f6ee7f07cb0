"""Statements that wrap members' keys anew."""

from collections.abc import Mapping
from uuid import UUID

from services.members.domain.sealed import WrappedKey
from shared.database import Transaction

# Found in the order of the index on (master_key_id, member_id). Two workers do not wait for each other, and nobody else
# locks these rows but an erasure.
LOCK_OTHERS = """
    select member_id, master_key_id, wrapped_key from member_keys
    where master_key_id <> $1
    order by master_key_id, member_id
    limit $2
    for update skip locked
"""

SAVE = """
    update member_keys set master_key_id = anew.master_key_id, wrapped_key = anew.wrapped_key
    from unnest($1::uuid[], $2::text[], $3::bytea[]) as anew (member_id, master_key_id, wrapped_key)
    where member_keys.member_id = anew.member_id
"""


async def lock_wrapped_by_others(transaction: Transaction, master_key_id: str, rows_max: int) -> dict[UUID, WrappedKey]:
    """Keys that another master key wraps, locked; those that somebody has locked already are passed over."""
    return {
        row["member_id"]: WrappedKey(row["master_key_id"], row["wrapped_key"])
        for row in await transaction.raw.fetch(LOCK_OTHERS, master_key_id, rows_max)
    }


async def save_wrapped(transaction: Transaction, keys: Mapping[UUID, WrappedKey]) -> None:
    """Replace the wrappings of keys that are locked."""
    await transaction.raw.execute(
        SAVE,
        list(keys),
        [key.master_key_id for key in keys.values()],
        [key.wrapped for key in keys.values()],
    )
