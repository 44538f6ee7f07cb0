"""With whom a leaver's unspent points stay. Pure: judged as everybody stands at the moment of leaving."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from services.members.domain.households import Household, Place
from services.members.domain.statuses import ALLOWANCES
from shared.events.members import MemberStatus


def possible_heirs(household: Household, leaver_id: UUID, now: datetime) -> tuple[UUID, ...]:
    """Who of those who remain may be the heir, in the order of joining: whoever has the right to spend.

    Where nobody has it, everybody: the next head will decide who has, and no head evades the policy by taking it from
    all before leaving. Nobody where the leaver's points are not to stay: the leaver agreed to no such thing, or has
    contributed nothing, or stopped so long ago that the notice is over.

    Raises:
        NotInHouseholdError
    """
    place = household.place_of(leaver_id)
    if place.leaving.policy != "stays_with_household" or not _contributes_still(place, now):
        return ()
    others = [other for other in household.places if other != place]
    return tuple(other.member_id for other in [one for one in others if one.rights.may_spend] or others)


def choose_heir(leaver_id: UUID, heirs: tuple[UUID, ...], statuses: Mapping[UUID, MemberStatus]) -> UUID | None:
    """The first of these whose status lets them spend; None where there is nobody, so that the leaver keeps all.

    Nothing is taken from a leaver who may not spend: no household empties an account that is locked.
    """
    if not ALLOWANCES[statuses[leaver_id]].may_spend:
        return None
    return next((heir for heir in heirs if ALLOWANCES[statuses[heir]].may_spend), None)


def _contributes_still(place: Place, now: datetime) -> bool:
    if place.rights.contributes:
        return True
    return place.contributed_until is not None and now < place.contributed_until + place.leaving.notice
