"""What a member may do in a household is changed."""

from dataclasses import dataclass
from uuid import UUID

from services.members.domain.households import AskedRights, Household, with_rights
from services.members.repository import households
from services.members.use_cases import household_announcements
from services.members.use_cases.household_membership import entry_of, lock_household
from shared import outbox
from shared.database import Transaction
from shared.web import require_version


@dataclass(frozen=True, slots=True)
class RightsRequest:
    """Whose rights are to become what, in whose name, and which version of the household was read."""

    household_id: UUID
    member_id: UUID
    version: int
    asked: AskedRights
    stated_by: UUID
    author: str


async def change_household_rights(transaction: Transaction, request: RightsRequest) -> Household:
    """Change a member's rights and record HouseholdChanged; what is as it was is no change. Locks the household.

    Raises:
        HouseholdNotFoundError, VersionChangedError, NotInHouseholdError, RightNotTheirsError
    """
    household = await lock_household(transaction, request.household_id)
    require_version(request.version, household.version)
    changed = with_rights(household, request.member_id, request.asked, request.stated_by, transaction.now)
    if changed.version == household.version:
        return household
    await households.save_place(transaction, changed, changed.place_of(request.member_id))
    entry = entry_of(
        transaction,
        changed,
        request.member_id,
        "change_rights",
        stated_by=request.stated_by,
        author=request.author,
    )
    await households.insert_change(transaction, entry)
    await outbox.record(transaction, [household_announcements.household_changed(changed, transaction.now)])
    return changed
