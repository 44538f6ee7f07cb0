"""Households over HTTP, short to write."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from shared.database import Database
from shared.events.catalogue import MEMBERS
from shared.events.members import HouseholdChanged, MemberEvent
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing, members_client, members_settings


@asynccontextmanager
async def households_client(database: Database, **others: object) -> AsyncIterator[httpx2.AsyncClient]:
    """The members service with small limits for households."""
    limits: dict[str, object] = {"household_members_max": 3, "household_changes_per_year_max": 3}
    settings = members_settings(**limits | others)
    async with members_client(database, settings) as opened:
        yield opened


async def post(client: httpx2.AsyncClient, path: str, **body: object) -> httpx2.Response:
    return await client.post(f"/v1/{path}", json=body, headers=bearing(client_id="app"))


async def found(client: httpx2.AsyncClient, founder: str, **rights: object) -> str:
    answer = await post(client, "households", member_id=founder, **rights)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["household_id"])


async def invite(client: httpx2.AsyncClient, household: str, by: str, whom: str, **rights: bool) -> str:
    answer = await post(client, f"households/{household}/invitations", invited_by=by, member_id=whom, **rights)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


async def accept(client: httpx2.AsyncClient, member: str, token: str, **rights: object) -> httpx2.Response:
    return await post(client, "household-invitations:accept", member_id=member, token=token, **rights)


async def join(client: httpx2.AsyncClient, household: str, by: str, whom: str, **rights: bool) -> None:
    answer = await accept(client, whom, await invite(client, household, by, whom, **rights))
    assert answer.status_code == 200, answer.text


async def leave(client: httpx2.AsyncClient, household: str, member: str) -> httpx2.Response:
    return await post(client, f"households/{household}/leave", member_id=member)


async def read(client: httpx2.AsyncClient, household: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/households/{household}", headers=bearing("households:read"))
    assert answer.status_code == 200, answer.text
    assert answer.headers["ETag"] == f'"{answer.json()["version"]}"'
    household_read: dict[str, Any] = answer.json()
    return household_read


async def change(
    client: httpx2.AsyncClient, household: str, member: str, version: int, **body: object
) -> httpx2.Response:
    headers = bearing("households:write") | {"If-Match": f'"{version}"'}
    return await client.patch(f"/v1/households/{household}/members/{member}", json=body, headers=headers)


async def people(client: httpx2.AsyncClient, household: str) -> list[str]:
    return [member["member_id"] for member in (await read(client, household))["members"]]


async def told(database: Database) -> list[MemberEvent]:
    return [row.event for row in await recorded_events(database, MEMBERS)]


async def told_households(database: Database) -> list[tuple[int, int]]:
    """Version and size of each HouseholdChanged."""
    events = [event for event in await told(database) if isinstance(event, HouseholdChanged)]
    return [(event.data.version, len(event.data.members)) for event in events]


def problem(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]
