"""Any sequence of founding, joining, leaving, merging and ending leaves each member in at most one household."""

import random
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.members.domain.erasure import ErasureRequest
from services.members.domain.errors import RegistryRefusalError
from services.members.domain.households import AskedRights, Household, HouseholdLimits, Rights
from services.members.domain.merging import MergeRequest
from services.members.repository import households
from services.members.use_cases.accept_invitation import Acceptance, accept_invitation
from services.members.use_cases.change_household_rights import RightsRequest, change_household_rights
from services.members.use_cases.change_status import StatusRequest, change_status
from services.members.use_cases.erase_member import erase_member
from services.members.use_cases.found_household import found_household
from services.members.use_cases.invite_to_household import InvitationRequest, invite_to_household
from services.members.use_cases.leave_household import leave_household
from services.members.use_cases.merge_members import merge_members
from shared.database import Database, Transaction
from shared.events.catalogue import MEMBERS
from shared.events.members import HouseholdChanged, HouseholdData, MemberData, MemberErased, MembersMerged
from tests.support.enrolling import enrol_by_hand
from tests.support.outbox_rows import recorded_events
from tests.support.registries import empty_tables, members_settings

EXAMPLES = 25
STEPS_MIN, STEPS_MAX = 6, 16
PEOPLE = 4
SETTINGS = members_settings()
LIMITS = HouseholdLimits(members_max=3, changes_per_year_max=5, invitation_lasts=timedelta(days=1))
ALL = Rights(contributes=True, may_spend=True, shows_purchases=False)

Step = tuple[str, int, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["found", "join", "join", "join", "leave", "change", "close", "merge", "erase"]),
        st.integers(0, PEOPLE - 1),
        st.integers(0, PEOPLE - 1),
    ),
    min_size=STEPS_MIN,
    max_size=STEPS_MAX,
)


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=steps, seed=st.integers(0, 1_000))
async def test_each_member_has_at_most_one_household_whatever_happens(
    module_database: Database, history: list[Step], seed: int
) -> None:
    await empty_tables(module_database, "members")
    people = [await enrol_by_hand(module_database, SETTINGS, f"test-{number}") for number in range(PEOPLE)]
    for step in history:
        try:
            async with module_database.transaction() as transaction:
                await _act(transaction, people, step)
        except RegistryRefusalError:
            continue
        stands = await _registry(module_database)
        assert len({place[0] for place in stands}) == len(stands)
        assert stands == await _told(module_database, seed)


async def _registry(database: Database) -> list[tuple[UUID, UUID, Rights]]:
    """Who belongs where; the members' own rows say the same, and nobody is there who has ended."""
    async with database.transaction() as transaction:
        rows = await transaction.raw.fetch(
            "select member_id, household_id, status from members where household_id is not null order by member_id"
        )
        assert {row["status"] for row in rows} <= {"active"}
        found = await households.lock_page(transaction, None, 100)
    assert all(len(household.places) <= LIMITS.members_max for household in found)
    places = sorted(
        (place.member_id, household.household_id, place.rights) for household in found for place in household.places
    )
    assert [place[:2] for place in places] == [(row["member_id"], row["household_id"]) for row in rows]
    return places


async def _told(database: Database, seed: int) -> list[tuple[UUID, UUID, Rights]]:
    """The same, as a projection has it that took all events twice and in any order, and moved to higher versions."""
    events = [row.event for row in await recorded_events(database, MEMBERS)] * 2
    random.Random(seed).shuffle(events)
    known: dict[UUID, HouseholdData] = {}
    members: dict[UUID, tuple[int, UUID | None]] = {}
    for event in events:
        match event:
            case HouseholdChanged(data=data):
                if data.household_id not in known or known[data.household_id].version < data.version:
                    known[data.household_id] = data
            case MembersMerged(data=merge):
                _rise(members, merge.merged_member_id, merge.merged_version, None)
            case MemberErased(data=erasure):
                _rise(members, erasure.member_id, erasure.version, None)
            case _:
                assert isinstance(event.data, MemberData)
                _rise(members, event.data.member_id, event.data.version, event.data.household_id)
    places = sorted(
        (member.member_id, data.household_id, Rights(member.contributes, member.may_spend, member.shows_purchases))
        for data in known.values()
        for member in data.members
    )
    named = sorted((member_id, household) for member_id, (_, household) in members.items() if household is not None)
    assert named == [place[:2] for place in places]
    return places


def _rise(members: dict[UUID, tuple[int, UUID | None]], member_id: UUID, version: int, household: UUID | None) -> None:
    if members.get(member_id, (0, None))[0] < version:
        members[member_id] = (version, household)


async def _act(transaction: Transaction, people: Sequence[UUID], step: Step) -> None:
    what, one, other = step
    member_id = people[one]
    match what:
        case "found":
            await found_household(transaction, member_id, ALL, None, "test", LIMITS)
        case "join":
            await _join(transaction, await _household_of(transaction, people[other]), people[other], member_id)
        case "leave":
            household = await _household_of(transaction, people[other])
            await leave_household(transaction, household.household_id, member_id, "test")
        case "change":
            household = await _household_of(transaction, member_id)
            asked = AskedRights(contributes=False, shows_purchases=True)
            await change_household_rights(
                transaction,
                RightsRequest(household.household_id, member_id, household.version, asked, member_id, "test"),
            )
        case "close":
            await change_status(transaction, StatusRequest(member_id, "closed", "mistake", "test"), SETTINGS.reasons)
        case "merge":
            merge = MergeRequest(people[other], member_id, "duplicate", "test")
            await merge_members(transaction, merge, SETTINGS.keys, SETTINGS.reasons)
        case _:
            await erase_member(transaction, ErasureRequest(member_id, "mistake", "test"), SETTINGS.reasons)


async def _join(transaction: Transaction, household: Household, invited_by: UUID, member_id: UUID) -> None:
    token = uuid4().bytes
    request = InvitationRequest(
        household.household_id, invited_by, member_id, contributes=True, may_spend=False, author="test"
    )
    await invite_to_household(transaction, request, token, LIMITS)
    await accept_invitation(
        transaction, Acceptance(member_id, token, shows_purchases=False, agreed=None, author="test"), LIMITS
    )


async def _household_of(transaction: Transaction, member_id: UUID) -> Household:
    for household_id in await households.load_household_ids(transaction, [member_id]):
        found = await households.find_household(transaction, household_id)
        assert found is not None
        return found
    raise RegistryRefusalError("the member has no household")
