"""All that is kept of a member's tier, for an export. The id is taken as it stands."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.tiers.qualification import Amounts, CountedDay
from services.accrual.repository.tier_grants import COLUMNS, GrantRow
from shared.database import Transaction

_STANDING_OF = "select tier, since, earned, grace_until, graded_at from tier_standings where member_id = $1"

_DAYS_OF = """
    select day, points, spend_minor, visits from tier_days
    where member_id = $1 and day > $2 order by day limit $3
"""

_GRANTS_OF = f"select {COLUMNS} from tier_grants where member_id = $1 and grant_id > $2 order by grant_id limit $3"

_CHANGES_OF = """
    select version, effective_at, old_tier, new_tier, reason, until, scheme_version, decided_at
    from tier_changes where member_id = $1 and version > $2 order by version limit $3
"""


class KeptStanding(NamedTuple):
    """A member's tier as it is kept."""

    tier: str
    since: datetime | None
    earned: str
    grace_until: datetime | None
    graded_at: datetime


class KeptChange(NamedTuple):
    """A change of a member's tier."""

    version: int
    effective_at: datetime
    old_tier: str
    new_tier: str
    reason: str
    until: datetime | None
    scheme_version: int
    decided_at: datetime


async def find_standing(transaction: Transaction, member_id: UUID) -> KeptStanding | None:
    """The tier; None where nothing was ever collected or granted."""
    row = await transaction.raw.fetchrow(_STANDING_OF, member_id)
    return KeptStanding(*row.values()) if row is not None else None


async def load_days(transaction: Transaction, member_id: UUID, after: date, rows_max: int) -> list[CountedDay]:
    """What was collected, by day."""
    rows = await transaction.raw.fetch(_DAYS_OF, member_id, after, rows_max)
    return [CountedDay(day, Amounts(*amounts)) for day, *amounts in rows]


async def load_grants(transaction: Transaction, member_id: UUID, after: UUID, rows_max: int) -> list[GrantRow]:
    """Every grant that a member ever had, by id."""
    rows = await transaction.raw.fetch(_GRANTS_OF, member_id, after, rows_max)
    return [GrantRow(*row.values()) for row in rows]


async def load_changes(
    transaction: Transaction, member_id: UUID, after_version: int, rows_max: int
) -> list[KeptChange]:
    """Changes of a member's tier, the first first."""
    rows = await transaction.raw.fetch(_CHANGES_OF, member_id, after_version, rows_max)
    return [KeptChange(*row.values()) for row in rows]
