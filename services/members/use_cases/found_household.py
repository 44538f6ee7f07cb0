"""A member founds a household."""

from uuid import UUID

from services.members.domain.errors import MemberNotFoundError
from services.members.domain.households import (
    CHANGES_COUNT_FOR,
    Household,
    HouseholdLimits,
    Rights,
    founded,
    judge_newcomer,
)
from services.members.domain.leaving import LeavingTerms, judge_agreement
from services.members.repository import households, registry
from services.members.use_cases.household_membership import move_in
from shared.database import Transaction
from shared.ids import new_id


async def found_household(
    transaction: Transaction,
    founder_id: UUID,
    rights: Rights,
    agreed: LeavingTerms | None,
    author: str,
    limits: HouseholdLimits,
) -> Household:
    """Found a household with one member, its head; HouseholdChanged and MemberChanged are recorded. Locks the member.

    ``agreed`` is what the founder was shown of leaving; it binds the membership, if it is what is in force.

    Raises:
        MemberNotFoundError, MemberMergedError, MemberGoneError, InHouseholdError, HouseholdChangesExhaustedError,
        LeavingTermsNotAgreedError
    """
    member = await registry.lock_member(transaction, founder_id)
    if member is None:
        raise MemberNotFoundError("there is no such member")
    changes = await households.count_changes(transaction, founder_id, transaction.now - CHANGES_COUNT_FOR)
    judge_newcomer(member, changes, limits)
    leaving = judge_agreement(agreed, limits.leaving)
    household = founded(new_id(), founder_id, rights, transaction.now, leaving)
    await households.insert_household(transaction, household)
    return await move_in(transaction, household, member, "found", author)
