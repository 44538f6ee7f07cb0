"""A member leaves a household."""

from dataclasses import replace
from uuid import UUID

from services.members.domain.errors import MemberNotFoundError
from services.members.domain.households import Household
from services.members.repository import registry
from services.members.use_cases import announcements, household_announcements
from services.members.use_cases.household_membership import lock_household, move_out
from shared import outbox
from shared.database import Transaction


async def leave_household(transaction: Transaction, household_id: UUID, member_id: UUID, author: str) -> Household:
    """Take the member out; HouseholdChanged and MemberChanged are recorded. Who leaves last dissolves it.

    No limit stands in the way. Locks the household, then the member.

    Raises:
        HouseholdNotFoundError, NotInHouseholdError
    """
    household = await lock_household(transaction, household_id)
    household.place_of(member_id)
    member = await registry.lock_member(transaction, member_id)
    if member is None:
        raise MemberNotFoundError("there is no such member")
    alone = replace(member, household_id=None, version=member.version + 1)
    remaining = await move_out(transaction, household, alone, stated_by=member_id, author=author)
    messages = [
        household_announcements.household_changed(remaining, transaction.now),
        announcements.changed(alone, transaction.now),
    ]
    await outbox.record(transaction, messages)
    return remaining
