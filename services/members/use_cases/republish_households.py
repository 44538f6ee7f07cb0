"""Tell the present state of households again, as members are told."""

from dataclasses import dataclass
from uuid import UUID

from services.members.repository import households
from services.members.use_cases import household_announcements
from shared import outbox
from shared.database import Transaction

HOUSEHOLDS_PER_PAGE_MAX = 500


@dataclass(frozen=True, slots=True)
class RepublishedHouseholds:
    """What a page told; ``last_household_id`` is where the next one starts after, None where none follows."""

    households: int
    last_household_id: UUID | None


async def republish_households(
    transaction: Transaction, after: UUID | None, households_max: int
) -> RepublishedHouseholds:
    """Record the households after ``after`` as HouseholdChanged, dissolved ones too, at their present versions."""
    page = await households.lock_page(transaction, after, households_max)
    await outbox.record(
        transaction, [household_announcements.household_changed(household, transaction.now) for household in page]
    )
    last_household_id = page[-1].household_id if len(page) == households_max else None
    return RepublishedHouseholds(len(page), last_household_id)
