"""A member leaves a household."""

from dataclasses import replace
from uuid import UUID

from services.members.domain.errors import MemberNotFoundError
from services.members.domain.household_heirs import choose_heir, possible_heirs
from services.members.domain.households import Household
from services.members.repository import registry
from services.members.use_cases import announcements, household_announcements
from services.members.use_cases.household_membership import lock_household, move_out
from shared import outbox
from shared.database import Transaction


async def leave_household(transaction: Transaction, household_id: UUID, member_id: UUID, author: str) -> Household:
    """Take the member out; HouseholdChanged and MemberChanged are recorded. Who leaves last dissolves it.

    No limit stands in the way. Where the member agreed that points stay with the household, the events tell with whom:
    everything is judged as it stands just now. Locks the household, then the member and whoever may be the heir.

    Raises:
        HouseholdNotFoundError, NotInHouseholdError
    """
    household = await lock_household(transaction, household_id)
    heirs = possible_heirs(household, member_id, transaction.now)
    locked = await registry.lock_members(transaction, {member_id, *heirs})
    member = locked.get(member_id)
    if member is None:
        raise MemberNotFoundError("there is no such member")
    heir_id = choose_heir(member_id, heirs, {each.member_id: each.status for each in locked.values()})
    alone = replace(member, household_id=None, version=member.version + 1)
    remaining = await move_out(transaction, household, alone, stated_by=member_id, author=author, heir_id=heir_id)
    leaver = None if heir_id is None else household_announcements.leaver_of(alone, heir_id, transaction.now)
    messages = [
        household_announcements.household_changed(remaining, transaction.now, leaver),
        announcements.changed(alone, transaction.now),
    ]
    await outbox.record(transaction, messages)
    return remaining
