"""A member of a household invites another member into it."""

from dataclasses import dataclass
from uuid import UUID

from services.members.domain.errors import MemberNotFoundError
from services.members.domain.households import (
    HouseholdChange,
    HouseholdLimits,
    Invitation,
    Rights,
    judge_invitation,
)
from services.members.domain.merging import refuse_merged
from services.members.repository import households, registry
from services.members.use_cases.household_membership import lock_household
from shared.database import Transaction
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class InvitationRequest:
    """Who invites whom into which household, with which rights. ``author`` is the API client."""

    household_id: UUID
    invited_by: UUID
    member_id: UUID
    contributes: bool
    may_spend: bool
    author: str


async def invite_to_household(
    transaction: Transaction, request: InvitationRequest, token_sha256: bytes, limits: HouseholdLimits
) -> Invitation:
    """Keep an invitation that the member may accept with the token behind ``token_sha256``; nobody is told of it.

    Inviting the same member again ends the earlier invitation. Locks the household, then both members.

    Raises:
        HouseholdNotFoundError, MemberNotFoundError, MemberMergedError, MemberGoneError, NotInHouseholdError,
        InHouseholdError, HouseholdFullError
    """
    household = await lock_household(transaction, request.household_id)
    both = await registry.lock_members(transaction, {request.invited_by, request.member_id})
    invited = both.get(request.member_id)
    if invited is None:
        raise MemberNotFoundError("there is no such member")
    refuse_merged(invited)
    others_invited = await households.count_other_invitations(
        transaction, household.household_id, invited.member_id, transaction.now
    )
    judge_invitation(household, invited, request.invited_by, others_invited, limits)
    invitation = Invitation(
        household_id=household.household_id,
        member_id=invited.member_id,
        invited_by=request.invited_by,
        token_sha256=token_sha256,
        contributes=request.contributes,
        may_spend=request.may_spend,
        expires_at=transaction.now + limits.invitation_lasts,
    )
    await households.save_invitation(transaction, invitation)
    entry = HouseholdChange(
        change_id=new_id(),
        household_id=household.household_id,
        version=household.version,
        member_id=invited.member_id,
        action="invite",
        rights=Rights(request.contributes, request.may_spend, shows_purchases=False),
        stated_by=request.invited_by,
        author=request.author,
        changed_at=transaction.now,
        leaving=limits.leaving,
    )
    await households.insert_change(transaction, entry)
    return invitation
