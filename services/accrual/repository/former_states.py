"""What a member was before what the registry tells now: kept because receipts of that time are judged by it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.database import Transaction

# The newest version repeats what the registry tells itself.
_STATES = """
    select version, since, until, birth_month, birth_day, household_id
    from (
        select version, since, lead(since) over (order by since) as until, birth_month, birth_day, household_id
        from member_versions where member_id = $1
    ) as states
    where until is not null and version > $2
    order by version
    limit $3
"""
_ATTRIBUTES = """
    select version, code, since, until, says
    from (
        select version, code, since, lead(since) over (partition by code order by since) as until, says
        from member_attribute_versions where member_id = $1
    ) as states
    where until is not null and (code, version) > ($2, $3)
    order by code, version
    limit $4
"""


@dataclass(frozen=True, slots=True)
class FormerState:
    """Birthday and household, as they were until ``until``."""

    version: int
    since: datetime
    until: datetime
    birth_month: int | None
    birth_day: int | None
    household_id: UUID | None


@dataclass(frozen=True, slots=True)
class FormerAttribute:
    """What was said of the member under an attribute until ``until``; None: nothing."""

    version: int
    code: str
    since: datetime
    until: datetime
    says: str | None


async def load_states(transaction: Transaction, member_id: UUID, after: int, rows_max: int) -> list[FormerState]:
    """By version. The id is taken as it stands."""
    return [FormerState(**dict(row)) for row in await transaction.raw.fetch(_STATES, member_id, after, rows_max)]


async def load_attributes(
    transaction: Transaction, member_id: UUID, after: tuple[str, int], rows_max: int
) -> list[FormerAttribute]:
    """By code and version. The id is taken as it stands."""
    rows = await transaction.raw.fetch(_ATTRIBUTES, member_id, *after, rows_max)
    return [FormerAttribute(**dict(row)) for row in rows]
