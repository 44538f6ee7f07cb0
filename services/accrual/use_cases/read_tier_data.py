"""What is kept of a member's tier, for the member: sections of the export."""

from collections.abc import Sequence
from datetime import date
from typing import TypeAlias
from uuid import UUID

from services.accrual.domain.tiers.qualification import CountedDay
from services.accrual.repository import tier_data
from services.accrual.repository.tier_data import KeptChange, KeptStanding
from services.accrual.repository.tier_grants import GrantRow
from shared.database import Transaction
from shared.web.sections import Section, UnknownKeyError, read_key, read_number

NO_ID = UUID(int=0)


KeptOfTier: TypeAlias = KeptStanding | CountedDay | GrantRow | KeptChange
Found: TypeAlias = Sequence[tuple[str, KeptOfTier]]


async def read_standing(transaction: Transaction, member_id: UUID, after: str | None, _: int) -> Found:
    """The tier, if anything is kept: one row at most, so that nothing comes after it."""
    if after is not None:
        raise UnknownKeyError
    standing = await tier_data.find_standing(transaction, member_id)
    return [("", standing)] if standing is not None else []


async def read_days(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """What was collected, by day."""
    day = read_key(after, date.fromisoformat) or date.min
    return [(str(one.day), one) for one in await tier_data.load_days(transaction, member_id, day, rows_max)]


async def read_grants(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """Tiers that were given by hand."""
    grant_id = read_key(after, UUID) or NO_ID
    found = await tier_data.load_grants(transaction, member_id, grant_id, rows_max)
    return [(str(grant.grant_id), grant) for grant in found]


async def read_changes(transaction: Transaction, member_id: UUID, after: str | None, rows_max: int) -> Found:
    """Every change of the tier."""
    version = read_key(after, read_number) or 0
    found = await tier_data.load_changes(transaction, member_id, version, rows_max)
    return [(str(change.version), change) for change in found]


TIER_SECTIONS: tuple[Section[KeptOfTier], ...] = (read_standing, read_days, read_grants, read_changes)
