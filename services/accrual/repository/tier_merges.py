"""Statements that fold what is kept of a member's tier into the survivor's.

Both members' rows are locked. Changes stay under the id under which they happened; they are told under it, too.
"""

from uuid import UUID

from shared.database import Transaction

FOLD_DAYS = """
    with moved as (
        delete from tier_days where member_id = $1 returning day, points, spend_minor, visits
    )
    insert into tier_days (member_id, day, points, spend_minor, visits)
    select $2, day, points, spend_minor, visits from moved order by day
    on conflict (member_id, day) do update
    set points = tier_days.points + excluded.points, spend_minor = tier_days.spend_minor + excluded.spend_minor,
        visits = tier_days.visits + excluded.visits
"""
MOVE_GRANTS = "update tier_grants set member_id = $2 where member_id = $1"
FORGET_STANDING = "delete from tier_standings where member_id = $1"


async def fold(transaction: Transaction, merged_id: UUID, survivor_id: UUID) -> None:
    """Let all that counts be the survivor's. Repeated, it finds nothing left."""
    for statement in (FOLD_DAYS, MOVE_GRANTS):
        await transaction.raw.execute(statement, merged_id, survivor_id)
    await transaction.raw.execute(FORGET_STANDING, merged_id)
