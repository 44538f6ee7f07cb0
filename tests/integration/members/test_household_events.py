"""What is told and kept of households, and what becomes of them when memberships end."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import httpx2
import pytest

from shared.database import Database
from shared.events.members import HouseholdChanged, MemberChanged, MemberErased, MembersMerged, MemberStatusChanged
from tests.support.enrolling import enrol_somebody
from tests.support.households import (
    accept,
    change,
    found,
    households_client,
    invite,
    join,
    leave,
    people,
    post,
    problem,
    told,
    told_households,
)
from tests.support.registries import bearing


@pytest.fixture(scope="module")
async def module_client(module_database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """The service with small limits."""
    async with households_client(module_database) as opened:
        yield opened


async def test_whatever_is_told_of_a_member_names_the_household(client: httpx2.AsyncClient, database: Database) -> None:
    card = {"type": "card", "value": "9001 2345 6789"}
    joined = await post(client, "members:card-first", language="en", identifiers=[card])
    ada = str(joined.json()["member_id"])
    household = await found(client, ada)
    person = {"given_name": "Ada", "family_name": "Test", "email": "ada@example.com"}
    assert (await client.put(f"/v1/members/{ada}/person", json=person, headers=bearing())).status_code == 200
    corrected = {"language": "de"}
    patched = await client.patch(f"/v1/members/{ada}", json=corrected, headers=bearing() | {"If-Match": '"3"'})
    assert patched.status_code == 200, patched.text
    assert (await post(client, f"members/{ada}/suspend", reason_code="mistake")).status_code == 200
    other = await enrol_somebody(client)
    assert (await post(client, f"members/{other}/suspend", reason_code="mistake")).status_code == 200
    merge = {"merged_member_id": other, "reason_code": "duplicate"}
    assert (await post(client, f"members/{ada}/merge", **merge)).status_code == 200
    events = [event for event in await told(database) if isinstance(event, MemberChanged | MemberStatusChanged)]
    of_ada = [event.data for event in events if event.subject == ada]
    assert [data.version for data in of_ada] == [2, 3, 4, 5]
    assert {str(data.household_id) for data in of_ada} == {household}
    assert await people(client, household) == [ada]


async def test_whose_membership_ends_leaves_whatever_the_limits(client: httpx2.AsyncClient, database: Database) -> None:
    head, closed, merged = [await enrol_somebody(client) for _ in range(3)]
    household = await found(client, head)
    await join(client, household, head, closed)
    await join(client, household, head, merged)
    survivor = await enrol_somebody(client)

    await post(client, f"members/{closed}/close", reason_code="member_request")
    assert await people(client, household) == [head, merged]
    status = [event for event in await told(database) if isinstance(event, MemberStatusChanged)][-1]
    assert (status.data.status, status.data.household_id, status.data.version) == ("closed", None, 3)
    await post(client, f"members/{survivor}/merge", merged_member_id=merged, reason_code="duplicate")
    assert await people(client, household) == [head]
    token = await invite(client, household, head, survivor)
    await post(client, f"members/{head}/erase", reason_code="data_subject_request")
    assert await people(client, household) == []
    assert problem(await accept(client, survivor, token)) == (404, "invitation-unknown")
    assert await told_households(database) == [(1, 1), (2, 2), (3, 3), (4, 2), (5, 1), (6, 0)]
    kinds = [type(event) for event in await told(database)]
    assert kinds[kinds.index(MembersMerged) :] == [MembersMerged, HouseholdChanged, MemberErased, HouseholdChanged]


@pytest.mark.parametrize("ends", ["close", "erase"])
async def test_whose_membership_ended_is_invited_no_more_and_takes_no_place(
    client: httpx2.AsyncClient, ends: str
) -> None:
    ada, bob, eve, zoe = [await enrol_somebody(client) for _ in range(4)]
    household = await found(client, ada)
    token = await invite(client, household, ada, bob)
    await invite(client, household, ada, eve)
    assert (await post(client, f"members/{bob}/{ends}", reason_code="data_subject_request")).status_code == 200
    assert problem(await accept(client, bob, token)) == (404, "invitation-unknown")
    await invite(client, household, ada, zoe)
    url = f"households/{household}/invitations"
    assert problem(await post(client, url, invited_by=ada, member_id=bob)) == (409, "member-gone")


async def test_a_close_that_meets_an_acceptance_leaves_nobody_behind(
    client: httpx2.AsyncClient, database: Database
) -> None:
    ada = await enrol_somebody(client)
    household = await found(client, ada)
    for _ in range(5):
        bob = await enrol_somebody(client)
        token = await invite(client, household, ada, bob)
        await asyncio.gather(
            accept(client, bob, token), post(client, f"members/{bob}/close", reason_code="member_request")
        )
        assert await people(client, household) == [ada]
    events = [event for event in await told(database) if isinstance(event, HouseholdChanged)]
    assert [event.data.version for event in events] == list(range(1, len(events) + 1))


async def test_the_history_says_who_did_what_and_nobody_rewrites_it(
    client: httpx2.AsyncClient, database: Database
) -> None:
    ada, bob = await enrol_somebody(client), await enrol_somebody(client)
    household = await found(client, ada)
    await join(client, household, ada, bob)
    await change(client, household, bob, 2, stated_by=ada, may_spend=False)
    await leave(client, household, bob)
    await post(client, f"members/{ada}/close", reason_code="member_request")

    url = f"/v1/households/{household}/changes"
    page = (await client.get(f"{url}?limit=4", headers=bearing("members:audit"))).json()
    rest = (await client.get(f"{url}?cursor={page['next_cursor']}", headers=bearing("members:audit"))).json()
    entries = [*page["items"], *rest["items"]]
    assert [(each["action"], each["member_id"], each["stated_by"], each["version"]) for each in entries] == [
        ("leave", ada, None, 5),
        ("leave", bob, bob, 4),
        ("change_rights", bob, ada, 3),
        ("join", bob, bob, 2),
        ("invite", bob, ada, 1),
        ("found", ada, ada, 1),
    ]
    assert [each["may_spend"] for each in entries] == [True, False, False, True, True, True]
    assert {each["author"] for each in entries} == {"app", "programme"}
    for statement in ("update household_changes set author = 'x'", "delete from household_changes"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction() as transaction:
                await transaction.raw.execute(statement)


async def test_households_are_told_again_page_by_page_at_their_versions(
    client: httpx2.AsyncClient, database: Database
) -> None:
    founders = [await enrol_somebody(client) for _ in range(3)]
    households = [await found(client, founder) for founder in founders]
    await leave(client, households[1], founders[1])
    async with database.transaction() as transaction:
        await transaction.raw.execute("delete from outbox")
    after, pages = None, 0
    while pages == 0 or after is not None:
        page = await post(client, "households:republish", after=after, households_max=2)
        assert page.status_code == 200, page.text
        after, pages = page.json()["last_household_id"], pages + 1
    assert pages == 2
    events = [event for event in await told(database) if isinstance(event, HouseholdChanged)]
    assert [(str(event.data.household_id), event.data.version, len(event.data.members)) for event in events] == [
        (households[0], 1, 1),
        (households[1], 2, 0),
        (households[2], 1, 1),
    ]
    assert len(await told(database)) == 3
    again = await client.post("/v1/members:republish", json={}, headers=bearing("members:republish"))
    assert again.status_code == 200
    members = [event for event in await told(database) if isinstance(event, MemberChanged)]
    assert [event.data.household_id for event in members] == [UUID(households[0]), None, UUID(households[2])]
