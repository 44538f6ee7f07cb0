"""Somebody comes into a household or goes: one way for all who have reason to, under the locks of both."""

from dataclasses import replace
from uuid import UUID

from services.members.domain.household_errors import HouseholdNotFoundError
from services.members.domain.households import Action, Household, HouseholdChange, left
from services.members.domain.registry import Member
from services.members.repository import households
from services.members.use_cases import announcements, household_announcements
from shared import outbox
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.ids import new_id
from shared.outbox import Message


async def lock_household(transaction: Transaction, household_id: UUID) -> Household:
    """The household, locked before any of its members.

    Raises:
        HouseholdNotFoundError
    """
    locked = await households.lock_households(transaction, [household_id])
    if not locked:
        raise HouseholdNotFoundError("there is no such household")
    return locked[0]


async def move_in(
    transaction: Transaction, household: Household, member: Member, action: Action, author: str
) -> Household:
    """Write that a locked member has a place in a locked household by now, and record both events.

    ``household`` already counts the member in.
    """
    place = household.place_of(member.member_id)
    newcomer = replace(member, household_id=household.household_id, version=member.version + 1)
    await households.save_place(transaction, household, place)
    await households.set_household(transaction, member.member_id, household.household_id, newcomer.version)
    entry = entry_of(transaction, household, member.member_id, action, stated_by=member.member_id, author=author)
    await households.insert_change(transaction, entry)
    messages = [
        household_announcements.household_changed(household, transaction.now),
        announcements.changed(newcomer, transaction.now),
    ]
    await outbox.record(transaction, messages)
    return household


async def move_out(
    transaction: Transaction,
    household: Household,
    member: Member,
    *,
    stated_by: UUID | None,
    author: str,
    heir_id: UUID | None = None,
) -> Household:
    """Take a locked member out of its locked household; the household as it stands then. Nothing is recorded yet.

    ``member`` is written at the version that it bears, which its own event tells. ``heir_id``: with whom what the
    member has stays.
    """
    remaining = left(household, member.member_id)
    entry = entry_of(
        transaction,
        replace(household, version=remaining.version),
        member.member_id,
        "leave",
        stated_by=stated_by,
        author=author,
        heir_id=heir_id,
    )
    await households.delete_place(transaction, remaining, member.member_id)
    await households.set_household(transaction, member.member_id, None, member.version)
    await households.insert_change(transaction, entry)
    return remaining


async def lock_household_of(transaction: Transaction, member_id: UUID) -> Household | None:
    """The household that a member belongs to, locked before the member is; ``end_membership`` is told of it."""
    household_ids = await households.load_household_ids(transaction, [member_id])
    locked = await households.lock_households(transaction, household_ids) if household_ids else []
    return locked[0] if locked else None


async def end_membership(
    transaction: Transaction, household: Household | None, member: Member, author: str
) -> list[Message]:
    """Let a locked member whose membership ends leave the household that was locked before; what is to be recorded.

    No limit stands in the way, and nothing invites the member any more. ``member`` bears the version that it has after
    its end.

    Raises:
        StartAgainError: it came into a household, or left one, while its row was waited for.
    """
    if member.household_id != (None if household is None else household.household_id):
        raise StartAgainError("the member's household changed meanwhile")
    await households.delete_invitations_of(transaction, member.member_id)
    if household is None:
        return []
    remaining = await move_out(transaction, household, member, stated_by=None, author=author)
    return [household_announcements.household_changed(remaining, transaction.now)]


def entry_of(
    transaction: Transaction,
    household: Household,
    member_id: UUID,
    action: Action,
    *,
    stated_by: UUID | None,
    author: str,
    heir_id: UUID | None = None,
) -> HouseholdChange:
    """An entry for the history of a household that has the member, at the version that it bears."""
    place = household.place_of(member_id)
    return HouseholdChange(
        change_id=new_id(),
        household_id=household.household_id,
        version=household.version,
        member_id=member_id,
        action=action,
        rights=place.rights,
        stated_by=stated_by,
        author=author,
        changed_at=transaction.now,
        leaving=place.leaving,
        heir_id=heir_id,
    )
