"""Tiers that people gave by hand. Whoever writes holds the member's lock."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.tiers.standing import Grant
from shared.database import Transaction

# Those that have ended since the member was graded last are to be graded yet.
_LOAD = """
    select tier_grants.member_id, tier_grants.tier, granted_at, ends_at
    from tier_grants
        left join tier_standings on tier_standings.member_id = tier_grants.member_id
    where tier_grants.member_id = any($1::uuid[]) and revoked_at is null
        and ends_at > coalesce(graded_at, '-infinity')
    order by tier_grants.member_id, ends_at
"""

COLUMNS = "grant_id, tier, granted_at, ends_at, reason_code, author, revoked_at, revoked_by"

_LIST_OPEN = f"""
    select {COLUMNS} from tier_grants
    where member_id = $1 and revoked_at is null and ends_at > $2 order by ends_at, grant_id
"""

_SAVE = """
    insert into tier_grants (grant_id, member_id, tier, granted_at, ends_at, reason_code, author)
    values ($1, $2, $3, $4, $5, $6, $7)
"""

_FIND = f"select {COLUMNS} from tier_grants where member_id = $1 and grant_id = $2"

_REVOKE = """
    update tier_grants set revoked_at = $2, revoked_by = $3
    where grant_id = $1 and revoked_at is null and ends_at > $2
"""


class GrantRow(NamedTuple):
    """A grant, who gave it and why, and who took it back."""

    grant_id: UUID
    tier: str
    granted_at: datetime
    ends_at: datetime
    reason_code: str
    author: str
    revoked_at: datetime | None = None
    revoked_by: str | None = None


async def load(transaction: Transaction, member_ids: Collection[UUID]) -> dict[UUID, Sequence[Grant]]:
    """The grants of these members that hold, or held when they were graded last. Who has none is absent."""
    found: dict[UUID, list[Grant]] = {}
    for member_id, *grant in await transaction.raw.fetch(_LOAD, list(member_ids)):
        found.setdefault(member_id, []).append(Grant(*grant))
    return dict(found)


async def list_open(transaction: Transaction, member_id: UUID) -> list[GrantRow]:
    """A member's grants that hold now, those that end first first."""
    return [GrantRow(*row.values()) for row in await transaction.raw.fetch(_LIST_OPEN, member_id, transaction.now)]


async def save(transaction: Transaction, member_id: UUID, grant: GrantRow) -> None:
    """Insert a grant."""
    await transaction.raw.execute(_SAVE, grant.grant_id, member_id, *grant[1:6])


async def find(transaction: Transaction, member_id: UUID, grant_id: UUID) -> GrantRow | None:
    """A grant of this member's."""
    row = await transaction.raw.fetchrow(_FIND, member_id, grant_id)
    return GrantRow(*row.values()) if row is not None else None


async def revoke(transaction: Transaction, grant_id: UUID, revoked_by: str) -> bool:
    """Take a grant back; whether that was news: one that has ended, or was taken back before, stays as it is."""
    status: str = await transaction.raw.execute(_REVOKE, grant_id, transaction.now, revoked_by)
    return status == "UPDATE 1"
