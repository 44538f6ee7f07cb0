"""A member accepts an invitation to a household."""

from dataclasses import dataclass
from uuid import UUID

from services.members.domain.errors import MemberNotFoundError
from services.members.domain.households import (
    CHANGES_COUNT_FOR,
    Household,
    HouseholdLimits,
    Rights,
    joined,
    judge_acceptance,
    judge_newcomer,
    unknown_invitation,
)
from services.members.domain.leaving import LeavingTerms, judge_agreement
from services.members.repository import households, registry
from services.members.use_cases.household_membership import lock_household, move_in
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who accepts, by which token, whether the others see the member's purchases, and what the member was shown of
    leaving. ``author`` is the API client."""

    member_id: UUID
    token_sha256: bytes
    shows_purchases: bool
    agreed: LeavingTerms | None
    author: str


async def accept_invitation(transaction: Transaction, acceptance: Acceptance, limits: HouseholdLimits) -> Household:
    """Let the member join; HouseholdChanged and MemberChanged are recorded. A token works once.

    What is in force of leaving binds the membership from now on, whatever the programme says later; it must be what
    the member agreed to. Locks the household, then the member.

    Raises:
        InvitationUnknownError, InvitationExpiredError, MemberMergedError, MemberGoneError, InHouseholdError,
        HouseholdFullError, HouseholdChangesExhaustedError, LeavingTermsNotAgreedError
    """
    found = await households.find_invitation(transaction, acceptance.token_sha256)
    if found is None:
        raise unknown_invitation()
    household = await lock_household(transaction, found.household_id)
    # Read again: it may have been used or ended while the household's row was waited for.
    invitation = judge_acceptance(
        await households.find_invitation(transaction, acceptance.token_sha256),
        acceptance.member_id,
        household,
        limits,
        transaction.now,
    )
    member = await registry.lock_member(transaction, acceptance.member_id)
    if member is None:
        raise MemberNotFoundError("there is no such member")
    changes = await households.count_changes(transaction, member.member_id, transaction.now - CHANGES_COUNT_FOR)
    judge_newcomer(member, changes, limits)
    leaving = judge_agreement(acceptance.agreed, limits.leaving)
    await households.delete_invitation(transaction, invitation)
    rights = Rights(invitation.contributes, invitation.may_spend, acceptance.shows_purchases)
    grown = joined(household, member.member_id, rights, transaction.now, leaving)
    return await move_in(transaction, grown, member, "join", acceptance.author)
