"""Members are suspended, limited, closed, and come back: over HTTP, with a history that nobody rewrites."""

import asyncio
from uuid import uuid4

import asyncpg
import httpx2
import pytest

from shared.database import Database
from shared.events.catalogue import MEMBERS
from shared.events.members import MemberStatusChanged
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing

CARD = {"type": "card", "value": "9001 2345 6789"}


@pytest.fixture
async def member_id(client: httpx2.AsyncClient) -> str:
    body = {
        "given_name": "Ada", "family_name": "Test", "email": f"{uuid4().hex}@example.com", "language": "en",
        "birth_date": "1990-12-10",
    }  # fmt: skip
    return str((await client.post("/v1/members", json=body, headers=bearing())).json()["member_id"])


async def post(
    client: httpx2.AsyncClient, member_id: str, act: str, reason_code: str = "fraud_suspected", **more: str
) -> httpx2.Response:
    body = {"reason_code": reason_code} | more
    return await client.post(
        f"/v1/members/{member_id}/{act}", json=body, headers=bearing("members:status", client_id="ann")
    )


async def history(client: httpx2.AsyncClient, member_id: str) -> list[dict[str, object]]:
    answer = await client.get(f"/v1/members/{member_id}/status-changes", headers=bearing("members:audit"))
    assert answer.status_code == 200, answer.text
    return [dict(item) for item in answer.json()["items"]]


async def status_events(database: Database) -> list[MemberStatusChanged]:
    events = [row.event for row in await recorded_events(database, MEMBERS)]
    return [event for event in events if isinstance(event, MemberStatusChanged)]


async def test_a_suspension_has_an_author_a_reason_and_an_event(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    answer = await post(client, member_id, "suspend")
    assert (answer.status_code, answer.json()) == (
        200,
        {"member_id": member_id, "status": "suspended", "version": 2},
    )
    (event,) = await status_events(database)
    assert (event.data.status, event.data.reason_code, event.data.version) == ("suspended", "fraud_suspected", 2)
    assert (event.data.language, event.data.birth_month, event.data.birth_day) == ("en", 12, 10)
    (entry,) = await history(client, member_id)
    assert (entry["from_status"], entry["to_status"], entry["reason_code"]) == (
        "active",
        "suspended",
        "fraud_suspected",
    )
    assert (entry["changed_by"], entry["version"]) == ("ann", 2)


async def test_every_status_can_be_given_and_the_history_tells_all_newest_first(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    given = ["earn_only", "spend_locked", "suspended", "active", "closed"]
    for status in given:
        answer = await post(client, member_id, "status", "mistake", status=status)
        assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert [entry["to_status"] for entry in await history(client, member_id)] == given[::-1]
    assert [event.data.version for event in await status_events(database)] == [2, 3, 4, 5, 6]
    page = await client.get(f"/v1/members/{member_id}/status-changes?limit=2", headers=bearing())
    rest = await client.get(
        f"/v1/members/{member_id}/status-changes?cursor={page.json()['next_cursor']}", headers=bearing()
    )
    assert [item["version"] for item in page.json()["items"] + rest.json()["items"]] == [6, 5, 4, 3, 2]


async def test_the_status_that_is_there_already_is_no_change(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    first = await post(client, member_id, "suspend")
    again = await post(client, member_id, "suspend", "inactivity")
    assert (again.status_code, again.json()) == (200, first.json())
    assert len(await status_events(database)) == len(await history(client, member_id)) == 1


async def test_a_closed_member_stays_closed_and_gets_no_identifier(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    assert (await post(client, member_id, "close", "member_request")).status_code == 200
    refused = await post(client, member_id, "status", "mistake", status="active")
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "status-change-refused")
    linked = await client.post(f"/v1/members/{member_id}/identifiers", json=CARD, headers=bearing())
    assert (linked.status_code, linked.json()["type"].rpartition("/")[2]) == (409, "member-gone")
    assert len(await status_events(database)) == 1


async def test_concurrent_changes_are_one_after_the_other(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    statuses = ["earn_only", "spend_locked", "suspended", "active"] * 2
    await asyncio.gather(*(post(client, member_id, "status", "mistake", status=status) for status in statuses))
    entries = (await history(client, member_id))[::-1]
    assert [entry["from_status"] for entry in entries] == ["active", *(entry["to_status"] for entry in entries[:-1])]
    assert [entry["version"] for entry in entries] == list(range(2, 2 + len(entries)))
    assert [event.data.status for event in await status_events(database)] == [entry["to_status"] for entry in entries]


async def test_what_is_not_declared_or_not_for_asking_is_refused(client: httpx2.AsyncClient, member_id: str) -> None:
    refused = await post(client, member_id, "suspend", "because")
    assert refused.status_code == 422
    assert "fraud_suspected" in refused.json()["detail"]
    for status in ("merged", "erased", "gone"):
        assert (await post(client, member_id, "status", status=status)).status_code == 422
    assert (await post(client, str(uuid4()), "suspend")).status_code == 404


async def test_statuses_are_the_programmes_to_change(client: httpx2.AsyncClient, member_id: str) -> None:
    url = f"/v1/members/{member_id}"
    for act, body in (("suspend", {}), ("close", {}), ("status", {"status": "active"})):
        told = {"reason_code": "mistake"} | body
        assert (await client.post(f"{url}/{act}", json=told)).status_code == 401
        assert (await client.post(f"{url}/{act}", json=told, headers=bearing("members:write"))).status_code == 403
        bound = bearing("members:status", client_id="acme", partner_id="acme")
        assert (await client.post(f"{url}/{act}", json=told, headers=bound)).status_code == 403
    bound = bearing("members:audit", client_id="acme", partner_id="acme")
    assert (await client.get(f"{url}/status-changes", headers=bound)).status_code == 403


async def test_nobody_rewrites_the_history(client: httpx2.AsyncClient, database: Database, member_id: str) -> None:
    await post(client, member_id, "suspend")
    for statement in ("update status_changes set reason_code = 'x'", "delete from status_changes"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction() as transaction:
                await transaction.raw.execute(statement)
