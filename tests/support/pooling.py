"""Households as redemption hears of them, and those who spend together there: short to write."""

from dataclasses import dataclass
from uuid import UUID

from services.redemption.domain.redemption import Redemption
from services.redemption.use_cases.hold_points import Held
from shared.events.members import (
    HouseholdChanged,
    HouseholdData,
    HouseholdLeaver,
    HouseholdMember,
    MemberChanged,
    MemberData,
)
from shared.ids import new_id
from tests.support.receipts import NOON, member
from tests.support.redemption import Spending

HOME, ELSEWHERE = member(901), member(902)
VERSIONS_APART = 100  # a member's versions stay above those that a test gives out itself


@dataclass(frozen=True)
class Place:
    """Somebody's place in a household, by default with every right but the last."""

    member_id: UUID
    contributes: bool = True
    may_spend: bool = True
    shows_purchases: bool = False


def household(
    version: int, *places: Place, household_id: UUID = HOME, leaver: HouseholdLeaver | None = None
) -> HouseholdChanged:
    """A household as the registry tells of it; ``leaver`` left with it, and what they had stays."""
    data = HouseholdData(
        household_id=household_id,
        version=version,
        members=tuple(
            HouseholdMember(
                member_id=place.member_id,
                contributes=place.contributes,
                may_spend=place.may_spend,
                shows_purchases=place.shows_purchases,
            )
            for place in places
        ),
        leaver=leaver,
    )
    return HouseholdChanged(id=new_id(), source="test", subject=str(household_id), time=NOON, data=data)


def belongs(member_id: UUID, version: int, household_id: UUID | None = HOME) -> MemberChanged:
    """A member as the registry tells of it, with its household or without one."""
    data = MemberData(member_id=member_id, version=version, status="active", household_id=household_id)
    return MemberChanged(id=new_id(), source="test", subject=str(member_id), time=NOON, data=data)


async def move_in(spending: Spending, version: int, *places: Place) -> None:
    """Have all of these live in one household."""
    events = [belongs(place.member_id, VERSIONS_APART + version) for place in places]
    await spending.members(household(version, *places), *events)


async def left_just_now(
    spending: Spending,
    version: int,
    leaver_id: UUID,
    heir_id: UUID,
    *remaining: UUID,
    member_version: int = 2 * VERSIONS_APART,
) -> HouseholdChanged:
    """The registry tells that somebody left at this moment, and that what they have stays with the heir."""
    left_at = await spending.now()
    leaver = HouseholdLeaver(member_id=leaver_id, member_version=member_version, heir_id=heir_id, left_at=left_at)
    return household(version, *map(Place, remaining), leaver=leaver)


async def pooled(spending: Spending, member_id: UUID, points: int) -> Redemption:
    """Points reserved, of others too where the member has too few."""
    outcome = await spending.hold(member_id, points)
    assert isinstance(outcome, Held), outcome
    return outcome.redemption
