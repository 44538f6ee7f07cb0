"""To whom offers were granted: a row for each privilege and member."""

from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from shared.database import Transaction

SAVE = """
    insert into redemption_privilege_grants (privilege_id, member_id, last_day, granted_by, granted_at)
    values ($1, $2, $3, $4, $5)
    on conflict (member_id, privilege_id) do update
        set last_day = excluded.last_day, granted_by = excluded.granted_by, granted_at = excluded.granted_at
        where redemption_privilege_grants.last_day is distinct from excluded.last_day
"""

# What those have for whom the member answers is the member's.
FIND_GRANTED = """
    select distinct privilege_id
    from redemption_privilege_grants
    where member_id in (
            select $1::uuid
            union all
            select member_id from redemption_members where merged_into = $1
        )
        and (last_day is null or last_day >= $2)
"""
# The one that lasts longest, where several were granted to those for whom the member answers.
_LOAD_OF_MEMBER = """
    select distinct on (privilege_id) privilege_id, member_id, last_day, granted_by, granted_at
    from redemption_privilege_grants
    where member_id in (
            select $1::uuid
            union all
            select member_id from redemption_members where merged_into = $1
        )
        and (last_day is null or last_day >= $2)
    order by privilege_id, last_day desc nulls first
"""
DELETE_OF_MEMBERS = "delete from redemption_privilege_grants where member_id = any($1::uuid[])"


class Grant(NamedTuple):
    """A privilege that was granted to a member; without a ``last_day`` as long as the privilege is given."""

    privilege_id: str
    member_id: UUID
    last_day: date | None
    granted_by: str
    granted_at: datetime


async def save(transaction: Transaction, grant: Grant) -> None:
    """Write a grant, or give the one that is there another last day. The member's row is locked."""
    await transaction.raw.execute(SAVE, *grant)


async def find_granted(transaction: Transaction, member_id: UUID, day: date) -> frozenset[str]:
    """The ids of what is granted to a member, or to one that was merged into it, on a day."""
    return frozenset(row["privilege_id"] for row in await transaction.raw.fetch(FIND_GRANTED, member_id, day))


async def load_of_member(transaction: Transaction, member_id: UUID, day: date) -> list[Grant]:
    """What is granted to a member, or to one that was merged into it, on a day: a grant of each privilege."""
    return [Grant(*row.values()) for row in await transaction.raw.fetch(_LOAD_OF_MEMBER, member_id, day)]


async def delete_of_members(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Forget what was granted to members who are erased."""
    await transaction.raw.execute(DELETE_OF_MEMBERS, list(member_ids))
