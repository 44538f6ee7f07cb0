"""Who answers for members that were merged away, as redemption knows it."""

from uuid import UUID

from shared.database import Transaction
from shared.events.members import MergeData

# Both rows are there and locked. Who answers for a member is said once: a later merge of the survivor says it for all
# of whom it answers, and an old merge that is told again changes nothing.
SAVE_MERGE = """
    with survivor as (
        select coalesce(merged_into, member_id) as member_id from redemption_members where member_id = $2
    )
    update redemption_members as member
    set merged_into = survivor.member_id,
        status = case when member.member_id = $1 and member.version < $3 then 'merged' else member.status end,
        version = case when member.member_id = $1 then greatest(member.version, $3) else member.version end
    from survivor
    where member.merged_into = $1 or (member.member_id = $1 and member.merged_into is null)
"""

FIND_SURVIVOR = "select merged_into from redemption_members where member_id = $1"


async def save_merge(transaction: Transaction, merge: MergeData) -> None:
    """Let one member answer for another, of two whose rows are locked. Idempotent, in any order."""
    await transaction.raw.execute(SAVE_MERGE, merge.merged_member_id, merge.member_id, merge.merged_version)


async def find_survivor(transaction: Transaction, member_id: UUID) -> UUID:
    """Who answers for this member: itself, unless it was merged away."""
    found: UUID | None = await transaction.raw.fetchval(FIND_SURVIVOR, member_id)
    return found or member_id
