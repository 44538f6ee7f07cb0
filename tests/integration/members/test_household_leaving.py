"""Leaving a household with which points stay: what a member agrees to, and what the registry then tells, over HTTP."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from shared.database import Database
from shared.events.members import HouseholdChanged, HouseholdLeaver
from tests.support.enrolling import enrol_somebody
from tests.support.households import (
    accept,
    change,
    found,
    households_client,
    invite,
    leave,
    post,
    problem,
    read,
    told,
)
from tests.support.registries import bearing

STAYS: dict[str, Any] = {"policy": "stays_with_household", "notice_days": 14}
SETTINGS: dict[str, object] = {"household_leaving_policy": "stays_with_household", "household_leaving_notice_days": 14}


@pytest.fixture(scope="module")
async def module_client(module_database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """The service of a programme in which points stay with the household."""
    async with households_client(module_database, **SETTINGS) as opened:
        yield opened


async def join(client: httpx2.AsyncClient, household: str, by: str, **rights: bool) -> str:
    whom = await enrol_somebody(client)
    answer = await accept(client, whom, await invite(client, household, by, whom, **rights), leaving=STAYS)
    assert answer.status_code == 200, answer.text
    return whom


async def leaver_told(database: Database) -> HouseholdLeaver | None:
    """Of the household that was told last."""
    return [event for event in await told(database) if isinstance(event, HouseholdChanged)][-1].data.leaver


async def set_status(client: httpx2.AsyncClient, member: str, status: str) -> None:
    answer = await post(client, f"members/{member}/{status}", reason_code="fraud_suspected")
    assert answer.status_code == 200, answer.text


async def test_whoever_joins_is_shown_the_policy_and_has_to_agree_to_it(
    client: httpx2.AsyncClient, database: Database
) -> None:
    ada, bob = await enrol_somebody(client), await enrol_somebody(client)
    for said in ({}, {"leaving": {"policy": "takes_own"}}, {"leaving": STAYS | {"notice_days": 13}}):
        refused = await post(client, "households", member_id=ada, **said)
        assert problem(refused) == (409, "leaving-terms-not-agreed")
        assert "send policy stays_with_household with notice_days 14" in refused.json()["detail"]
    household = await found(client, ada, leaving=STAYS)
    invitation = await post(client, f"households/{household}/invitations", invited_by=ada, member_id=bob)
    assert invitation.json()["leaving"] == STAYS
    token = invitation.json()["token"]
    assert problem(await accept(client, bob, token)) == (409, "leaving-terms-not-agreed")
    assert (await accept(client, bob, token, leaving=STAYS)).status_code == 200
    assert [each["leaving"] for each in (await read(client, household))["members"]] == [STAYS, STAYS]
    changes = await client.get(f"/v1/households/{household}/changes", headers=bearing("members:audit"))
    assert {(each["action"], each["leaving"]["policy"]) for each in changes.json()["items"]} == {
        (action, "stays_with_household") for action in ("found", "invite", "join")
    }

    await leave(client, household, bob)
    event = [event for event in await told(database) if isinstance(event, HouseholdChanged)][-1]
    assert event.data.leaver == HouseholdLeaver(
        member_id=UUID(bob), member_version=3, heir_id=UUID(ada), left_at=event.time
    )
    changes = await client.get(f"/v1/households/{household}/changes", headers=bearing("members:audit"))
    left = changes.json()["items"][0]
    assert (left["action"], left["heir_id"], left["leaving"]) == ("leave", ada, STAYS)


async def test_the_setting_does_not_reach_back(client: httpx2.AsyncClient, database: Database) -> None:
    ada = await enrol_somebody(client)
    household = await found(client, ada, leaving=STAYS)
    async with households_client(database) as changed:  # from now on everybody takes their own along
        cara, token = await _invited(changed, household, ada)
        assert problem(await accept(changed, cara, token, leaving=STAYS)) == (409, "leaving-terms-not-agreed")
        assert (await accept(changed, cara, token)).status_code == 200
        policies = [each["leaving"]["policy"] for each in (await read(changed, household))["members"]]
        assert policies == ["stays_with_household", "takes_own"]
        await leave(changed, household, ada)
        leaver = await leaver_told(database)
        assert leaver is not None
        assert (str(leaver.member_id), str(leaver.heir_id)) == (ada, cara)


async def test_whoever_agreed_to_take_their_own_does(database: Database) -> None:
    async with households_client(database) as before:
        ada = await enrol_somebody(before)
        household = await found(before, ada)
    async with households_client(database, **SETTINGS) as after:
        await join(after, household, ada)
        await leave(after, household, ada)
    assert await leaver_told(database) is None


@pytest.mark.parametrize(("days", "stays"), [(13, True), (14, False)])
async def test_contributing_ended_just_before_does_not_help(
    client: httpx2.AsyncClient, database: Database, days: int, stays: bool
) -> None:
    ada = await enrol_somebody(client)
    household = await found(client, ada, leaving=STAYS)
    bob = await join(client, household, ada)
    await change(client, household, bob, 2, stated_by=bob, contributes=False)
    async with database.transaction() as transaction:
        ended = transaction.now - timedelta(days=days, seconds=0 if not stays else 60)
        await transaction.raw.execute(
            "update household_members set contributed_until = $1 where not contributes", ended
        )
    await leave(client, household, bob)
    assert (await leaver_told(database) is not None) == stays


async def test_nothing_is_taken_from_who_may_not_spend_and_given_to_who_may_not(
    client: httpx2.AsyncClient, database: Database
) -> None:
    ada = await enrol_somebody(client)
    household = await found(client, ada, leaving=STAYS)
    bob = await join(client, household, ada)
    cara = await join(client, household, ada, may_spend=False)
    await set_status(client, ada, "suspend")
    await leave(client, household, bob)  # ada is suspended, and cara may not spend what is the household's
    assert await leaver_told(database) is None
    await leave(client, household, ada)
    assert await leaver_told(database) is None
    await leave(client, household, cara)  # nobody remains
    assert await leaver_told(database) is None


async def test_who_is_closed_keeps_what_they_have(client: httpx2.AsyncClient, database: Database) -> None:
    ada = await enrol_somebody(client)
    household = await found(client, ada, leaving=STAYS)
    bob = await join(client, household, ada)
    await set_status(client, bob, "close")
    assert [each["member_id"] for each in (await read(client, household))["members"]] == [ada]
    assert await leaver_told(database) is None


async def _invited(client: httpx2.AsyncClient, household: str, by: str) -> tuple[str, str]:
    whom = await enrol_somebody(client)
    return whom, await invite(client, household, by, whom)
