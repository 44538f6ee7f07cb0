"""Households over HTTP: founding, inviting, accepting, leaving, rights, and their limits."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from shared.database import Database
from shared.events.members import HouseholdChanged, MemberChanged
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
    read,
    told,
    told_households,
)
from tests.support.registries import bearing

OLD_CHANGES = """
    insert into household_changes
    select gen_random_uuid(), gen_random_uuid(), 1, $1, action, true, true, false, $1, 'app', $2
    from unnest(array['found', 'leave', 'join']) as action
"""


@pytest.fixture(scope="module")
async def module_client(module_database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """The service with small limits."""
    async with households_client(module_database) as opened:
        yield opened


async def test_a_member_founds_invites_and_another_accepts_and_leaves(
    client: httpx2.AsyncClient, database: Database
) -> None:
    ada, bob = await enrol_somebody(client), await enrol_somebody(client)
    household = await found(client, ada)
    token = await invite(client, household, ada, bob, may_spend=False)
    answer = await accept(client, bob, token, shows_purchases=True)

    assert (answer.status_code, answer.json()) == (200, await read(client, household))
    stands = await read(client, household)
    assert (stands["version"], stands["head_id"]) == (2, ada)
    assert [(each["member_id"], each["contributes"], each["may_spend"], each["shows_purchases"]) for each in
            stands["members"]] == [(ada, True, True, False), (bob, True, False, True)]  # fmt: skip
    event = (await told(database))[-2]
    assert isinstance(event, HouseholdChanged)
    assert (event.subject, event.data.version) == (household, 2)
    assert [(str(each.member_id), each.may_spend, each.shows_purchases) for each in event.data.members] == [
        (ada, True, False),
        (bob, False, True),
    ]
    changed = (await told(database))[-1]
    assert isinstance(changed, MemberChanged)
    assert (changed.subject, changed.data.version, str(changed.data.household_id)) == (bob, 2, household)
    shown = await client.get(f"/v1/members/{bob}", headers=bearing())
    assert shown.json()["household_id"] == household

    assert (await leave(client, household, ada)).json()["head_id"] == bob
    gone = (await told(database))[-1]
    assert isinstance(gone, MemberChanged)
    assert (gone.subject, gone.data.version, gone.data.household_id) == (ada, 3, None)
    assert (await leave(client, household, bob)).json()["members"] == []
    assert await told_households(database) == [(1, 1), (2, 2), (3, 1), (4, 0)]
    assert problem(await leave(client, household, bob)) == (409, "not-in-household")


async def test_an_invitation_is_for_one_member_once_and_for_a_time(
    client: httpx2.AsyncClient, database: Database
) -> None:
    ada, bob, eve = [await enrol_somebody(client) for _ in range(3)]
    household = await found(client, ada)
    replaced = await invite(client, household, ada, bob)
    token = await invite(client, household, ada, bob)
    async with database.transaction() as transaction:
        kept = str([tuple(row) for row in await transaction.raw.fetch("select * from household_invitations")])
        answers = [row["body"] for row in await transaction.raw.fetch("select body from idempotency")]
    assert token.startswith("hi_")
    assert token not in kept
    assert all(token.encode() not in body for body in answers)

    for who, presented in ((eve, token), (bob, replaced), (bob, "hi_" + "x" * 43)):
        assert problem(await accept(client, who, presented)) == (404, "invitation-unknown")
    both = await asyncio.gather(accept(client, bob, token), accept(client, bob, token))
    assert sorted(answer.status_code for answer in both) == [200, 404]
    assert await people(client, household) == [ada, bob]

    late = await invite(client, household, ada, eve)
    async with database.transaction() as transaction:
        await transaction.raw.execute("update household_invitations set expires_at = $1", transaction.now)
    assert problem(await accept(client, eve, late)) == (409, "invitation-expired")


async def test_the_same_request_again_shows_the_same_token(client: httpx2.AsyncClient) -> None:
    ada, bob = await enrol_somebody(client), await enrol_somebody(client)
    household = await found(client, ada)
    headers = bearing()
    body = {"invited_by": ada, "member_id": bob}
    first, again = [
        await client.post(f"/v1/households/{household}/invitations", json=body, headers=headers) for _ in range(2)
    ]
    assert (again.status_code, again.json()) == (201, first.json())
    assert (again.headers["Idempotency-Replayed"], again.headers["Cache-Control"]) == ("true", "no-store")
    assert (await accept(client, bob, again.json()["token"])).status_code == 200


async def test_who_leaves_invites_nobody_any_more(client: httpx2.AsyncClient) -> None:
    ada, bob, eve = [await enrol_somebody(client) for _ in range(3)]
    household = await found(client, ada)
    await join(client, household, ada, bob)
    token = await invite(client, household, bob, eve)
    await leave(client, household, bob)
    assert problem(await accept(client, eve, token)) == (404, "invitation-unknown")


async def test_a_household_has_so_many_members_with_those_who_are_invited(client: httpx2.AsyncClient) -> None:
    ada, bob, eve, zoe = [await enrol_somebody(client) for _ in range(4)]
    household = await found(client, ada)
    token = await invite(client, household, ada, bob)
    await invite(client, household, ada, eve)
    url = f"households/{household}/invitations"
    assert problem(await post(client, url, invited_by=ada, member_id=zoe)) == (409, "household-full")
    assert problem(await post(client, url, invited_by=bob, member_id=eve)) == (409, "not-in-household")
    assert problem(await post(client, url, invited_by=ada, member_id=str(uuid4()))) == (404, "not-found")
    await accept(client, bob, token)
    assert problem(await post(client, url, invited_by=ada, member_id=bob)) == (409, "in-household")
    assert (await post(client, url, invited_by=ada, member_id=eve)).status_code == 201  # in the earlier one's place


async def test_a_member_belongs_to_one_household_whatever_comes_at_once(client: httpx2.AsyncClient) -> None:
    ada, bob, eve = [await enrol_somebody(client) for _ in range(3)]
    of_ada, of_bob = await found(client, ada), await found(client, bob)
    one, two = await invite(client, of_ada, ada, eve), await invite(client, of_bob, bob, eve)
    answers = await asyncio.gather(
        accept(client, eve, one), accept(client, eve, two), post(client, "households", member_id=eve)
    )
    assert sorted(answer.status_code in (200, 201) for answer in answers) == [False, False, True]
    assert {problem(answer) for answer in answers if answer.status_code >= 400} == {(409, "in-household")}
    mine = (await client.get(f"/v1/members/{eve}", headers=bearing())).json()["household_id"]
    assert [eve in await people(client, each) for each in {of_ada, of_bob, mine}].count(True) == 1


async def test_so_many_changes_a_year_and_leaving_is_never_refused(
    client: httpx2.AsyncClient, database: Database
) -> None:
    ada = await enrol_somebody(client)
    first = await found(client, ada)
    await leave(client, first, ada)
    second = await found(client, ada)
    assert (await leave(client, second, ada)).status_code == 200  # the fourth of three
    refused = await post(client, "households", member_id=ada)
    assert problem(refused) == (409, "household-changes-exhausted")
    survivor = await enrol_somebody(client)
    merged = {"merged_member_id": ada, "reason_code": "duplicate"}
    assert (await post(client, f"members/{survivor}/merge", **merged)).status_code == 200
    counted = await post(client, "households", member_id=survivor)  # what came before a merge counts after it
    assert problem(counted) == (409, "household-changes-exhausted")
    for days, status in ((366, 201), (364, 409)):
        member = await enrol_somebody(client)
        async with database.transaction() as transaction:
            await transaction.raw.execute(OLD_CHANGES, UUID(member), transaction.now - timedelta(days=days))
        assert (await post(client, "households", member_id=member)).status_code == status


async def test_rights_are_changed_under_a_version_in_somebodys_name(
    client: httpx2.AsyncClient, database: Database
) -> None:
    ada, bob = await enrol_somebody(client), await enrol_somebody(client)
    household = await found(client, ada)
    await join(client, household, ada, bob)

    for_others = await change(client, household, bob, 2, stated_by=ada, shows_purchases=True)
    assert problem(for_others) == (409, "right-not-theirs")
    own = await change(client, household, bob, 2, stated_by=bob, shows_purchases=True)
    assert (own.status_code, own.json()["version"], own.headers["ETag"]) == (200, 3, '"3"')
    assert own.json()["members"][1]["shows_purchases"] is True
    assert problem(await change(client, household, bob, 2, stated_by=ada, may_spend=False)) == (412, "version-changed")
    assert problem(await change(client, household, bob, 3, stated_by=bob, may_spend=False)) == (409, "right-not-theirs")
    assert (await change(client, household, bob, 3, stated_by=ada, may_spend=False)).status_code == 200
    same = await change(client, household, bob, 4, stated_by=ada, may_spend=False)
    assert (same.status_code, same.json()["version"]) == (200, 4)
    assert problem(await change(client, household, str(uuid4()), 4, stated_by=ada)) == (409, "not-in-household")
    assert await told_households(database) == [(1, 1), (2, 2), (3, 2), (4, 2)]
    last = (await told(database))[-1]
    assert isinstance(last, HouseholdChanged)
    assert [(each.may_spend, each.shows_purchases) for each in last.data.members] == [(True, False), (False, True)]


async def test_households_are_the_programmes_with_scopes_of_their_own(client: httpx2.AsyncClient) -> None:
    ada = await enrol_somebody(client)
    household = await found(client, ada)
    calls: list[tuple[str, str, dict[str, Any] | None, str]] = [
        ("POST", "/v1/households", {"member_id": ada}, "households:write"),
        ("POST", f"/v1/households/{household}/leave", {"member_id": ada}, "households:write"),
        ("POST", f"/v1/households/{household}/invitations", {"invited_by": ada, "member_id": ada}, "households:write"),
        ("POST", "/v1/household-invitations:accept", {"member_id": ada, "token": "hi_x"}, "households:write"),
        ("PATCH", f"/v1/households/{household}/members/{ada}", {"stated_by": ada}, "households:write"),
        ("GET", f"/v1/households/{household}", None, "households:read"),
        ("GET", f"/v1/households/{household}/changes", None, "members:audit"),
        ("POST", "/v1/households:republish", {}, "members:republish"),
    ]
    for method, path, body, scope in calls:
        tag = {"If-Match": '"1"'}
        assert (await client.request(method, path, json=body, headers=tag)).status_code == 401
        other = bearing("members:read", "members:write") | tag
        assert (await client.request(method, path, json=body, headers=other)).status_code == 403
        bound = bearing(scope, client_id="acme", partner_id="acme") | tag
        refused = await client.request(method, path, json=body, headers=bound)
        assert problem(refused) == (403, "programme-only"), path
    assert await people(client, household) == [ada]
    assert (await client.get(f"/v1/households/{uuid4()}", headers=bearing())).status_code == 404
