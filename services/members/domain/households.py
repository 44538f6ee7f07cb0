"""Households: who belongs together, what each may do there, and who may change that. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from services.members.domain.household_errors import (
    HouseholdChangesExhaustedError,
    HouseholdFullError,
    InHouseholdError,
    InvitationExpiredError,
    InvitationUnknownError,
    NotInHouseholdError,
    RightNotTheirsError,
)
from services.members.domain.leaving import TAKES_OWN, LeavingTerms
from services.members.domain.registry import FIRST_VERSION, Member
from services.members.domain.statuses import judge_open

CHANGES_COUNT_FOR = timedelta(days=365)

Action: TypeAlias = Literal["found", "invite", "join", "leave", "change_rights"]


@dataclass(frozen=True, slots=True)
class Rights:
    """Whether a member's purchases earn for all, may spend what all earned, and shows purchases to the others."""

    contributes: bool
    may_spend: bool
    shows_purchases: bool


@dataclass(frozen=True, slots=True)
class AskedRights:
    """What is to be changed of a member's rights; None stays as it is."""

    contributes: bool | None = None
    may_spend: bool | None = None
    shows_purchases: bool | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A member's place in a household. ``since_version`` is the household's when the member came.

    ``leaving`` is what the member agreed to then. ``contributed_until``: when contributing was last ended, None while
    the member contributes and where it never did.
    """

    member_id: UUID
    rights: Rights
    since_version: int
    joined_at: datetime
    leaving: LeavingTerms = TAKES_OWN
    contributed_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Household:
    """A household as it stands at ``version``, its members in the order of joining. A dissolved one has nobody."""

    household_id: UUID
    version: int
    places: tuple[Place, ...]

    @property
    def head_id(self) -> UUID | None:
        """Who decides what the others may spend: the founder, and after them whoever has been there longest."""
        return self.places[0].member_id if self.places else None

    def place_of(self, member_id: UUID) -> Place:
        """A member's place.

        Raises:
            NotInHouseholdError
        """
        for place in self.places:
            if place.member_id == member_id:
                return place
        raise NotInHouseholdError("the member does not belong to this household")

    def has(self, member_id: UUID) -> bool:
        """Whether the member belongs to it."""
        return any(place.member_id == member_id for place in self.places)


@dataclass(frozen=True, slots=True)
class HouseholdLimits:
    """How large households may be, how often a member may change them, how long an invitation lasts, and what becomes
    of the points of who leaves, for those who join from now on."""

    members_max: int
    changes_per_year_max: int
    invitation_lasts: timedelta
    leaving: LeavingTerms = TAKES_OWN


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a member may accept, by presenting the token; only the token's digest is kept."""

    household_id: UUID
    member_id: UUID
    invited_by: UUID
    token_sha256: bytes
    contributes: bool
    may_spend: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class HouseholdChange:
    """One entry of a household's history, which stays for ever.

    ``rights`` are the member's by then: those offered to who is invited, the last ones of who left. ``stated_by`` is
    the member who wanted it, None where a membership ended; ``author`` is the API client. ``leaving`` is what the
    member agreed to, or is offered, and ``heir_id`` with whom the points of who left stay.
    """

    change_id: UUID
    household_id: UUID
    version: int
    member_id: UUID
    action: Action
    rights: Rights
    stated_by: UUID | None
    author: str
    changed_at: datetime
    leaving: LeavingTerms = TAKES_OWN
    heir_id: UUID | None = None


def founded(
    household_id: UUID, member_id: UUID, rights: Rights, now: datetime, leaving: LeavingTerms = TAKES_OWN
) -> Household:
    """A new household with its founder."""
    return Household(household_id, FIRST_VERSION, (Place(member_id, rights, FIRST_VERSION, now, leaving),))


def joined(
    household: Household, member_id: UUID, rights: Rights, now: datetime, leaving: LeavingTerms = TAKES_OWN
) -> Household:
    """The household at its next version, with one more."""
    version = household.version + 1
    place = Place(member_id, rights, version, now, leaving)
    return replace(household, version=version, places=(*household.places, place))


def left(household: Household, member_id: UUID) -> Household:
    """The household at its next version, without this member.

    Raises:
        NotInHouseholdError
    """
    gone = household.place_of(member_id)
    return replace(
        household,
        version=household.version + 1,
        places=tuple(place for place in household.places if place != gone),
    )


def with_rights(household: Household, member_id: UUID, asked: AskedRights, stated_by: UUID, now: datetime) -> Household:
    """The household with a member's rights changed; the same one, at its version, where nothing changes.

    Only the member decides who sees their purchases. Whether purchases earn for all the member decides or the head,
    but where what is contributed stays with the household, only the member can begin to; who may spend the head alone.

    Raises:
        NotInHouseholdError: one of the two does not belong to the household.
        RightNotTheirsError
    """
    place = household.place_of(member_id)
    household.place_of(stated_by)
    is_own, is_head = stated_by == member_id, stated_by == household.head_id
    if asked.shows_purchases is not None and not is_own:
        raise RightNotTheirsError("/shows_purchases: only the member itself can say who sees its purchases")
    if asked.contributes is not None and not (is_own or is_head):
        raise RightNotTheirsError("/contributes: the member itself can change this, or the household's head")
    if asked.contributes and not is_own and place.leaving != TAKES_OWN:
        raise RightNotTheirsError("/contributes: only the member itself can give what would stay if it left")
    if asked.may_spend is not None and not is_head:
        raise RightNotTheirsError("/may_spend: only the household's head can change this")
    rights = Rights(
        contributes=_asked_or(asked.contributes, place.rights.contributes),
        may_spend=_asked_or(asked.may_spend, place.rights.may_spend),
        shows_purchases=_asked_or(asked.shows_purchases, place.rights.shows_purchases),
    )
    if rights == place.rights:
        return household
    changed = replace(place, rights=rights)
    if rights.contributes != place.rights.contributes:
        changed = replace(changed, contributed_until=None if rights.contributes else now)
    places = tuple(changed if each == place else each for each in household.places)
    return replace(household, version=household.version + 1, places=places)


def judge_newcomer(member: Member, changes_in_year: int, limits: HouseholdLimits) -> None:
    """Whether a member may found or join. Leaving counts as a change, and is never refused.

    Raises:
        MemberGoneError, InHouseholdError, HouseholdChangesExhaustedError
    """
    judge_open(member.status)
    if member.household_id is not None:
        raise InHouseholdError("the member belongs to a household: it has to leave that one first")
    if changes_in_year >= limits.changes_per_year_max:
        raise HouseholdChangesExhaustedError(
            f"the member has joined and left {changes_in_year} times in the last {CHANGES_COUNT_FOR.days} days, "
            f"{limits.changes_per_year_max} are allowed: try again when the oldest is longer ago"
        )


def judge_invitation(
    household: Household, invited: Member, invited_by: UUID, others_invited: int, limits: HouseholdLimits
) -> None:
    """Whether a member may be invited, beside others whose invitations are open: there is a place for each.

    Raises:
        NotInHouseholdError: who invites does not belong to the household.
        MemberGoneError, InHouseholdError, HouseholdFullError
    """
    household.place_of(invited_by)
    judge_open(invited.status)
    if household.has(invited.member_id):
        raise InHouseholdError("the member belongs to this household already")
    if len(household.places) + others_invited >= limits.members_max:
        raise HouseholdFullError(
            f"with those who are invited the household has its {limits.members_max} members already"
        )


def judge_acceptance(
    invitation: Invitation | None, member_id: UUID, household: Household, limits: HouseholdLimits, now: datetime
) -> Invitation:
    """The invitation, where this member may accept it.

    Raises:
        InvitationUnknownError, InvitationExpiredError, HouseholdFullError
    """
    if invitation is None or invitation.member_id != member_id:
        raise unknown_invitation()
    if now >= invitation.expires_at:
        raise InvitationExpiredError("the invitation has expired: the member has to be invited again")
    if len(household.places) >= limits.members_max:
        raise HouseholdFullError(f"the household has its {limits.members_max} members already")
    return invitation


def unknown_invitation() -> InvitationUnknownError:
    """The same words whether there never was such an invitation, or it was used, or is another member's."""
    return InvitationUnknownError("this member has no such invitation: it may have been used, replaced or ended")


def _asked_or(asked: bool | None, present: bool) -> bool:
    return present if asked is None else asked
