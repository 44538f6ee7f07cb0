"""Members that were merged away: who answers for them, and what goes over."""

from collections.abc import Collection
from uuid import UUID

from shared.database import Transaction
from shared.events.members import MergeData

# The rows are there and locked. It is said once: a later merge of the survivor says it for all of whom it answers.
_SAVE = """
    with survivor as (
        select coalesce(merged_into, member_id) as member_id from member_windows where member_id = $2
    )
    update member_windows as member set merged_into = survivor.member_id
    from survivor
    where member.merged_into = $1 or (member.member_id = $1 and member.merged_into is null)
    returning member.member_id
"""
_FIND = """
    select member_id, merged_into from member_windows where member_id = any($1::uuid[]) and merged_into is not null
"""

# What is counted of a member from now on. Decisions stay as they were made, under the id that they were made under.
_FOLD = (
    "update window_receipts set member_id = $2 where member_id = $1",
    "update signals set member_id = $2 where member_id = $1",
    "update holds set member_id = $2 where member_id = $1",
    "update cases set member_id = $2 where member_id = $1",
    "update spend_decisions set member_id = $2 where member_id = $1",
    """
    update member_windows as member
    set first_linked_at = case when member.member_id = $2 then least(member.first_linked_at, gone.first_linked_at) end,
        last_linked_at = case when member.member_id = $2 then greatest(member.last_linked_at, gone.last_linked_at) end,
        contact_changed_at = case
            when member.member_id = $2 then greatest(member.contact_changed_at, gone.contact_changed_at) end
    from member_windows as gone
    where gone.member_id = $1 and member.member_id in ($1, $2) and member.erased_version is null
    """,
)


async def find_survivors(transaction: Transaction, member_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Who answers for those of these members that were merged away; the others are absent."""
    rows = await transaction.raw.fetch(_FIND, list(member_ids))
    return {row["member_id"]: row["merged_into"] for row in rows}


async def fold(transaction: Transaction, merge: MergeData) -> None:
    """Let one member, whose window is locked like the other's, have what was counted of both. Idempotent."""
    merged_id = merge.merged_member_id
    if not await transaction.raw.fetch(_SAVE, merged_id, merge.member_id):
        return
    survivors = await find_survivors(transaction, [merged_id])
    for statement in _FOLD:
        await transaction.raw.execute(statement, merged_id, survivors[merged_id])
