"""Stores' places and tills' keys over HTTP, and what the others are told of them."""

import asyncio
from typing import Any

import httpx2
import pytest

from shared.database import Database
from shared.events.catalogue import COALITION
from shared.events.coalition import StoreChanged, TillChanged
from shared.web import till_key_sha256
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing

STORE = "/v1/partners/acme/stores/s1"
TILL = f"{STORE}/tills/t1"
WEEK = [
    {"day": "mon", "opens": "08:00", "closes": "12:30"},
    {"day": "sun", "opens": "00:00", "closes": "24:00"},
]
PLACE = {"gln": "5790001330552", "latitude": "40.712776", "longitude": "-74.005974", "zone": "north"}


@pytest.fixture(autouse=True)
async def first_key(client: httpx2.AsyncClient) -> str:
    """A partner with a store and a till; the till's key."""
    for path, body in (
        ("/v1/partners", {"partner_id": "acme", "name": "Acme"}),
        ("/v1/partners/acme/stores", {"store_id": "s1", "name": "One", "time_zone": "America/New_York", **PLACE}),
    ):
        assert (await client.post(path, json=body, headers=bearing())).status_code == 201
    answer = await client.post(f"{STORE}/tills", json={"till_id": "t1", "key_scheme": "sequence"}, headers=bearing())
    return str(answer.json()["till_key"])


async def patch(client: httpx2.AsyncClient, version: int, body: dict[str, Any], **who: Any) -> httpx2.Response:
    return await client.patch(STORE, json=body, headers=bearing("partners:write", **who) | {"If-Match": f'"{version}"'})


async def last_till(database: Database) -> TillChanged:
    last = (await recorded_events(database, COALITION))[-1].event
    assert isinstance(last, TillChanged)
    return last


async def test_a_store_has_a_place_and_a_week(client: httpx2.AsyncClient, database: Database) -> None:
    changed = await patch(client, 1, {"opening_hours": WEEK, "zone": None, "name": "First Street"})
    assert changed.status_code == 200, changed.text
    read = await client.get(STORE, headers=bearing("partners:read"))
    assert (read.json(), read.headers["ETag"]) == (changed.json(), '"2"')
    body = read.json()
    assert {name: body[name] for name in PLACE} == PLACE | {"zone": None}
    assert (body["name"], body["opening_hours"]) == ("First Street", WEEK)
    last = (await recorded_events(database, COALITION))[-1].event
    assert isinstance(last, StoreChanged)
    assert (last.data.version, last.data.gln, last.data.zone) == (2, PLACE["gln"], None)
    assert last.data.longitude_microdegrees == -74_005_974
    assert [(hours.weekday, hours.opens_minute, hours.closes_minute) for hours in last.data.opening_hours] == [
        (1, 480, 750),
        (7, 0, 1440),
    ]


async def test_two_who_edit_a_store_do_not_undo_each_other(client: httpx2.AsyncClient) -> None:
    answers = await asyncio.gather(*(patch(client, 1, {"name": f"N{number}"}) for number in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]


async def test_a_place_that_cannot_be_is_refused_by_name(client: httpx2.AsyncClient) -> None:
    for body in (
        {"gln": "5790001330553"},
        {"latitude": "91", "longitude": "0"},
        {"latitude": "1"},
        {"opening_hours": [{"day": "mon", "opens": "12:00", "closes": "08:00"}]},
        {"opening_hours": [WEEK[0], WEEK[0]]},
        {},
    ):
        assert (await patch(client, 1, body)).status_code == 422, body
    assert (await patch(client, 1, {"name": "X"}, client_id="b", partner_id="bolt")).status_code == 404


async def test_a_new_key_is_shown_once_and_the_old_one_is_good_for_a_while(
    client: httpx2.AsyncClient, database: Database, first_key: str
) -> None:
    headers = bearing()
    answer = await client.post(f"{TILL}/keys:rotate", json={"overlap_seconds": 3600}, headers=headers)
    assert answer.status_code == 201, answer.text
    again = await client.post(f"{TILL}/keys:rotate", json={"overlap_seconds": 3600}, headers=headers)
    assert again.content == answer.content
    told = (await last_till(database)).data
    assert told.version == 2
    assert told.key_sha256 == till_key_sha256(answer.json()["till_key"])
    assert told.previous_key_sha256 == till_key_sha256(first_key)
    assert told.previous_key_until is not None
    async with database.transaction() as transaction:
        for table in ("tills", "outbox", "idempotency", "audit_log"):
            rows = str(await transaction.raw.fetch(f"select * from {table}"))
            assert answer.json()["till_key"] not in rows


async def test_keys_end_at_once_where_that_is_asked_for(client: httpx2.AsyncClient, database: Database) -> None:
    await client.post(f"{TILL}/keys:rotate", json={}, headers=bearing())
    ended = await client.post(
        f"{TILL}/keys:revoke", json={"keys": "previous", "reason_code": "changed_over"}, headers=bearing()
    )
    assert (ended.status_code, ended.json()["is_revoked"]) == (200, False)
    assert (await last_till(database)).data.previous_key_sha256 is None
    gone = await client.post(f"{TILL}/keys:revoke", json={"keys": "all", "reason_code": "stolen"}, headers=bearing())
    assert gone.json()["is_revoked"] is True
    assert (await last_till(database)).data.is_revoked
    back = await client.post(f"{TILL}/keys:rotate", json={"overlap_seconds": 3600}, headers=bearing())
    assert (back.status_code, back.json()["previous_key_until"]) == (201, None)  # what was stolen stays out
    assert not (await last_till(database)).data.is_revoked


async def test_another_partners_till_is_not_found(client: httpx2.AsyncClient) -> None:
    strange = bearing("partners:write", client_id="b", partner_id="bolt")
    assert (await client.post(f"{TILL}/keys:rotate", json={}, headers=strange)).status_code == 404
    assert (await client.post(f"{STORE}/tills/t9/keys:rotate", json={}, headers=bearing())).status_code == 404
