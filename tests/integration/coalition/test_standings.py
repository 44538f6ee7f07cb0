"""Partners' kinds and states over HTTP: who may change them, from which version, and what the others are told."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from shared.database import Database
from shared.events.catalogue import COALITION
from shared.events.coalition import PartnerChanged
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing

PATH = "/v1/partners/acme"
DAYS = {"last_earn_on": "2099-01-01", "last_spend_on": "2099-02-01", "returns_until": "2099-03-01"}


@pytest.fixture(autouse=True)
async def acme(client: httpx2.AsyncClient) -> None:
    body = {"partner_id": "acme", "name": "Acme", "kind": "issuing", "state": "testing"}
    assert (await client.post("/v1/partners", json=body, headers=bearing())).status_code == 201


async def patch(client: httpx2.AsyncClient, version: int | None, body: dict[str, Any], **who: Any) -> httpx2.Response:
    headers = bearing("partners:write", **who)
    if version is not None:
        headers["If-Match"] = f'"{version}"'
    return await client.patch(PATH, json={"reason_code": "test"} | body, headers=headers)


async def test_a_change_raises_the_version_and_is_published_with_its_beginning(
    client: httpx2.AsyncClient, database: Database
) -> None:
    changed = await patch(client, 1, {"state": "active", "kind": "both", "reason_code": "go_live"})

    assert changed.status_code == 200, changed.text
    assert changed.headers["ETag"] == '"2"'
    events = [row.event for row in await recorded_events(database, COALITION)]
    assert all(isinstance(event, PartnerChanged) for event in events)
    registered, told = (event for event in events if isinstance(event, PartnerChanged))
    assert (registered.data.state, registered.data.kind, registered.data.version) == ("testing", "issuing", 1)
    assert (told.data.state, told.data.kind, told.data.version) == ("active", "both", 2)
    assert told.data.reason_code == "go_live"
    assert told.data.in_force_from is not None
    assert told.data.in_force_from - told.time == timedelta(seconds=60)  # it opens: everybody hears of it first
    async with database.transaction() as transaction:
        kept = await transaction.raw.fetch("select author, action, why from audit_log order by entry_id desc limit 1")
    assert [tuple(row) for row in kept] == [("programme", "partner.changed", "go_live")]


async def test_a_partner_leaves_by_its_days_and_is_suspended_at_once(
    client: httpx2.AsyncClient, database: Database
) -> None:
    assert (await patch(client, 1, {"state": "active"})).status_code == 200
    leaving = await patch(client, 2, {"state": "leaving", **DAYS})
    assert leaving.status_code == 200, leaving.text
    assert {name: leaving.json()[name] for name in DAYS} == DAYS
    later = await patch(client, 3, {"returns_until": "2099-04-01"})
    assert (later.json()["last_earn_on"], later.json()["returns_until"]) == ("2099-01-01", "2099-04-01")
    refused = await patch(client, 4, {"state": "left"})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (422, "leaving-dates")
    suspended = await patch(client, 4, {"state": "suspended"})
    assert (suspended.json()["state"], suspended.json()["last_earn_on"]) == ("suspended", None)
    last = (await recorded_events(database, COALITION))[-1].event
    assert isinstance(last, PartnerChanged)
    assert last.data.in_force_from == last.time


async def test_who_read_an_older_version_changes_nothing(client: httpx2.AsyncClient) -> None:
    assert (await patch(client, None, {"state": "active"})).status_code == 428
    answers = await asyncio.gather(*(patch(client, 1, {"state": "active"}) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    read = await client.get(PATH, headers=bearing("partners:read"))
    assert (read.headers["ETag"], read.json()["version"]) == ('"2"', 2)


async def test_what_cannot_be_is_refused_with_what_to_do(client: httpx2.AsyncClient) -> None:
    for body, status, slug in (
        ({"state": "suspended"}, 409, "state-change"),
        ({"state": "active", "in_force_from": "2020-01-01T00:00:00Z"}, 422, "published-too-late"),
        ({"state": "testing", "last_earn_on": "2099-01-01"}, 422, "leaving-dates"),
        ({"state": "asleep"}, 422, "invalid-request"),
        ({"reason_code": None}, 422, "invalid-request"),
    ):
        refused = await patch(client, 1, body)
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (status, slug), refused.text
    headers = bearing() | {"If-Match": '"1"'}
    gone = await client.patch("/v1/partners/nobody", json={"reason_code": "x"}, headers=headers)
    assert gone.status_code == 404


async def test_no_partner_says_where_it_stands_itself(client: httpx2.AsyncClient) -> None:
    own = {"client_id": "acme-hq", "partner_id": "acme"}
    strange = {"client_id": "bolt-hq", "partner_id": "bolt"}
    assert (await patch(client, 1, {"state": "active"}, **own)).status_code == 403
    assert (await patch(client, 1, {"state": "active"}, **strange)).status_code == 404
