"""A household as it stands, and how it came about. Changes nothing."""

from uuid import UUID

from services.members.domain.household_errors import HouseholdNotFoundError
from services.members.domain.households import Household, HouseholdChange
from services.members.repository import households
from shared.database import Transaction


async def read_household(transaction: Transaction, household_id: UUID) -> Household:
    """The household with its members, in the order of joining.

    Raises:
        HouseholdNotFoundError
    """
    household = await households.find_household(transaction, household_id)
    if household is None:
        raise HouseholdNotFoundError("there is no such household")
    return household


async def read_household_changes(
    transaction: Transaction, household_id: UUID, *, before: UUID | None, rows_max: int
) -> list[HouseholdChange]:
    """A household's history, newest first: empty where there never was such a household."""
    return await households.load_changes(transaction, household_id, before=before, rows_max=rows_max)
