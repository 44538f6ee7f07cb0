"""Members that were merged away: who is written to for them."""

from collections.abc import Collection
from uuid import UUID

from shared.database import Transaction
from shared.events.members import MergeData

# Both rows are there and locked. It is said once: a later merge of the survivor says it for all of whom it answers.
_SAVE = """
    with survivor as (
        select coalesce(merged_into, member_id) as member_id from recipients where member_id = $2
    )
    update recipients as member
    set merged_into = survivor.member_id,
        status = case when member.member_id = $1 and member.version < $3 then 'merged' else member.status end,
        version = case when member.member_id = $1 then greatest(member.version, $3) else member.version end
    from survivor
    where member.merged_into = $1 or (member.member_id = $1 and member.merged_into is null)
    returning survivor.member_id as survivor_id
"""

# What is being collected goes on under its own digest, and reaches the survivor: nothing is told twice or not at all.
_MOVE_MESSAGES = "update messages set member_id = $2 where member_id = $1"

_FIND = "select member_id, merged_into from recipients where member_id = any($1::uuid[]) and merged_into is not null"


async def save(transaction: Transaction, merge: MergeData) -> None:
    """Let one member, whose row is locked like the other's, be written to for both. Idempotent, in any order."""
    rows = await transaction.raw.fetch(_SAVE, merge.merged_member_id, merge.member_id, merge.merged_version)
    if rows:
        await transaction.raw.execute(_MOVE_MESSAGES, merge.merged_member_id, rows[0]["survivor_id"])


async def find_survivors(transaction: Transaction, member_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Who is written to for those of these members that were merged away; the others are absent."""
    rows = await transaction.raw.fetch(_FIND, list(member_ids))
    return {row["member_id"]: row["merged_into"] for row in rows}
