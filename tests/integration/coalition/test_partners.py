"""Partners, stores and tills over HTTP."""

import asyncio
from typing import Any

import httpx2
import pytest

from shared.database import Database
from shared.events.catalogue import COALITION
from shared.events.coalition import PartnerChanged, StoreChanged, TillChanged
from shared.web import till_key_sha256
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing

ACME = {"partner_id": "acme", "name": "Acme Grocers"}
STORE = {"store_id": "s1", "name": "Main Street", "time_zone": "America/New_York"}
TILL = {"till_id": "t1", "key_scheme": "sequence"}


async def post(client: httpx2.AsyncClient, path: str, body: object, **headers: str) -> httpx2.Response:
    return await client.post(path, json=body, headers=bearing() | headers)


async def get(client: httpx2.AsyncClient, path: str, **who: Any) -> httpx2.Response:
    return await client.get(path, headers=bearing("partners:read", **who))


@pytest.fixture
async def acme(client: httpx2.AsyncClient) -> str:
    """A partner with one store."""
    assert (await post(client, "/v1/partners", ACME)).status_code == 201
    assert (await post(client, "/v1/partners/acme/stores", STORE)).status_code == 201
    return "/v1/partners/acme"


async def test_a_partner_is_registered_with_the_default_tolerances(client: httpx2.AsyncClient) -> None:
    answer = await post(client, "/v1/partners", ACME)
    assert answer.status_code == 201, answer.text
    expected = answer.json()
    assert expected.pop("in_force_from")
    days = dict.fromkeys(("last_earn_on", "last_spend_on", "returns_until"))
    assert expected == ACME | days | {
        "kind": "both",
        "state": "active",
        "reason_code": "registered",
        "line_tolerance_minor": 1,
        "receipt_tolerance_minor": 5,
        "version": 1,
    }
    read = await get(client, "/v1/partners/acme")
    assert (read.json(), read.headers["ETag"]) == (answer.json(), '"1"')


async def test_partner_store_and_till_are_published_in_order_under_the_partner(
    client: httpx2.AsyncClient, database: Database, acme: str
) -> None:
    till = await post(client, f"{acme}/stores/s1/tills", TILL)
    assert till.status_code == 201, till.text
    recorded = await recorded_events(database, COALITION)
    assert [type(row.event) for row in recorded] == [PartnerChanged, StoreChanged, TillChanged]
    assert {row.key for row in recorded} == {"acme"}
    assert [row.event.data.version for row in recorded] == [1, 1, 1]
    changed = recorded[2].event
    assert isinstance(changed, TillChanged)
    assert changed.data.key_sha256 == till_key_sha256(till.json()["till_key"])
    assert changed.data.key_scheme == "sequence"
    assert till.json()["till_key"].encode() not in recorded[2].body


async def test_a_till_key_is_kept_nowhere_and_a_retry_gets_it_again(
    client: httpx2.AsyncClient, database: Database, acme: str
) -> None:
    headers = bearing()
    first = await client.post(f"{acme}/stores/s1/tills", json=TILL, headers=headers)
    till_key = first.json()["till_key"]
    assert len(till_key) == len("tk_") + 43
    assert first.headers["Cache-Control"] == "no-store"
    again = await client.post(f"{acme}/stores/s1/tills", json=TILL, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    async with database.transaction() as transaction:
        for table in ("tills", "outbox", "idempotency"):
            assert till_key not in str(await transaction.raw.fetch(f"select * from {table}"))
    listed = await get(client, f"{acme}/stores")
    assert till_key not in listed.text


async def test_ids_that_are_taken_are_refused(client: httpx2.AsyncClient, acme: str) -> None:
    for path, body, slug in (
        ("/v1/partners", ACME, "partner-exists"),
        (f"{acme}/stores", STORE, "store-exists"),
    ):
        refused = await post(client, path, body)
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, slug)
    assert (await post(client, f"{acme}/stores/s1/tills", TILL)).status_code == 201
    refused = await post(client, f"{acme}/stores/s1/tills", TILL)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "till-exists")


async def test_what_is_not_there_is_not_found(client: httpx2.AsyncClient, acme: str) -> None:
    assert (await get(client, "/v1/partners/nobody")).status_code == 404
    assert (await get(client, "/v1/partners/nobody/stores")).status_code == 404
    assert (await post(client, "/v1/partners/nobody/stores", STORE)).status_code == 404
    assert (await post(client, "/v1/partners/nobody/stores:batch", {"stores": [STORE]})).status_code == 404
    assert (await post(client, f"{acme}/stores/s9/tills", TILL)).status_code == 404
    assert (await get(client, "/v1/partners/%00")).status_code == 422


async def test_a_batch_registers_stores_and_tills_with_an_outcome_each(
    client: httpx2.AsyncClient, database: Database, acme: str
) -> None:
    stores = [
        {**STORE, "store_id": f"b{number}", "tills": [{**TILL, "till_id": "1"}, {**TILL, "till_id": "2"}]}
        for number in range(3)
    ]
    stores.insert(1, {**STORE, "tills": [TILL]})
    headers = bearing()
    answer = await client.post(f"{acme}/stores:batch", json={"stores": stores}, headers=headers)
    assert answer.status_code == 201, answer.text
    outcomes = answer.json()["stores"]
    assert [item["store_id"] for item in outcomes] == ["b0", "s1", "b1", "b2"]
    assert [item["outcome"] for item in outcomes] == ["registered", "existed", "registered", "registered"]
    assert outcomes[1]["tills"] == []
    recorded = [row.event for row in await recorded_events(database, COALITION)][2:]
    assert [event.subject for event in recorded] == [
        subject for store in ("b0", "b1", "b2") for subject in (f"acme/{store}", f"acme/{store}/1", f"acme/{store}/2")
    ]
    keys = {
        event.data.key_sha256: (event.data.store_id, event.data.till_id)
        for event in recorded
        if isinstance(event, TillChanged)
    }
    told = {
        till_key_sha256(till["till_key"]): (item["store_id"], till["till_id"])
        for item in outcomes
        for till in item["tills"]
    }
    assert told == keys
    again = await client.post(f"{acme}/stores:batch", json={"stores": stores}, headers=headers)
    assert again.content == answer.content


async def test_a_thousand_stores_fit_one_batch_and_one_more_does_not(client: httpx2.AsyncClient, acme: str) -> None:
    stores = [{**STORE, "store_id": f"b{number:04}", "tills": [TILL]} for number in range(1001)]
    refused = await post(client, f"{acme}/stores:batch", {"stores": stores})
    assert refused.status_code == 422
    accepted = await post(client, f"{acme}/stores:batch", {"stores": stores[:1000]})
    assert accepted.status_code == 201, accepted.text
    assert len(accepted.json()["stores"]) == 1000


async def test_lists_come_in_pages(client: httpx2.AsyncClient, acme: str) -> None:
    stores = [{**STORE, "store_id": f"b{number}"} for number in range(5)]
    await post(client, f"{acme}/stores:batch", {"stores": stores})
    seen: list[str] = []
    cursor = ""
    for _ in range(10):
        page = (await get(client, f"{acme}/stores?limit=2{cursor}")).json()
        seen += [item["store_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == ["b0", "b1", "b2", "b3", "b4", "s1"]
    assert (await get(client, f"{acme}/stores?cursor=nonsense")).status_code == 400
    assert (await get(client, f"{acme}/stores?cursor=WyJcdTAwMDAiXQ")).status_code == 400  # ["\u0000"]
    assert (await get(client, f"{acme}/stores?limit=0")).status_code == 422


async def test_a_partners_client_sees_and_extends_its_own_partner_alone(client: httpx2.AsyncClient, acme: str) -> None:
    await post(client, "/v1/partners", {"partner_id": "bolt", "name": "Bolt"})
    bound = {"client_id": "bolt-hq", "partner_id": "bolt"}
    listed = await get(client, "/v1/partners", **bound)
    assert [item["partner_id"] for item in listed.json()["items"]] == ["bolt"]
    assert (await get(client, acme, **bound)).status_code == 404
    assert (await get(client, f"{acme}/stores", **bound)).status_code == 404
    for path, body in (
        ("stores", STORE),
        ("stores:batch", {"stores": [{**STORE, "store_id": "s2"}]}),
        ("stores/s1/tills", TILL),
    ):
        refused = await client.post(f"{acme}/{path}", json=body, headers=bearing("partners:write", **bound))
        assert refused.status_code == 404
    own = await client.post("/v1/partners/bolt/stores", json=STORE, headers=bearing("partners:write", **bound))
    assert own.status_code == 201
    new = await client.post(
        "/v1/partners", json={"partner_id": "c", "name": "C"}, headers=bearing("partners:write", **bound)
    )
    assert new.status_code == 403


async def test_concurrent_registrations_of_one_store_leave_one(
    client: httpx2.AsyncClient, database: Database, acme: str
) -> None:
    answers = await asyncio.gather(*(post(client, f"{acme}/stores", {**STORE, "store_id": "x"}) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]
    subjects = [row.event.subject for row in await recorded_events(database, COALITION)]
    assert subjects.count("acme/x") == 1


INVALID: tuple[tuple[str, object, str], ...] = (
    ("/v1/partners", {"partner_id": "a/b", "name": "A"}, "/partner_id"),
    ("/v1/partners", {"partner_id": "a", "name": ""}, "/name"),
    ("/v1/partners", {"partner_id": "a", "name": "A", "line_tolerance_minor": False}, "/line_tolerance_minor"),
    ("/v1/partners", {"partner_id": "a", "name": "A", "receipt_tolerance_minor": -1}, "/receipt_tolerance_minor"),
    ("/v1/partners/acme/stores", {**STORE, "time_zone": "Mars/Olympus"}, "/time_zone"),
    ("/v1/partners/acme/stores:batch", {"stores": []}, "/stores"),
    ("/v1/partners/acme/stores:batch", {"stores": [{**STORE, "tills": [TILL, TILL]}]}, "/stores/0"),
    ("/v1/partners/acme/stores/s1/tills", {"till_id": "t", "key_scheme": "guess"}, "/key_scheme"),
)


async def test_a_field_that_is_not_valid_is_named(client: httpx2.AsyncClient) -> None:
    for path, body, pointer in INVALID:
        refused = await post(client, path, body)
        assert refused.status_code == 422, refused.text
        assert refused.json()["errors"][0]["pointer"] == pointer


ROUTES: tuple[tuple[str, str, str, object], ...] = (
    ("POST", "/v1/partners", "partners:write", ACME),
    ("GET", "/v1/partners", "partners:read", None),
    ("GET", "/v1/partners/acme", "partners:read", None),
    ("POST", "/v1/partners/acme/stores", "partners:write", STORE),
    ("POST", "/v1/partners/acme/stores:batch", "partners:write", {"stores": [STORE]}),
    ("GET", "/v1/partners/acme/stores", "partners:read", None),
    ("POST", "/v1/partners/acme/stores/s1/tills", "partners:write", TILL),
    ("POST", "/v1/api-clients", "clients:write", {"client_id": "x", "scopes": ["rules:read"]}),
)


async def test_every_route_needs_a_token_with_its_scope(client: httpx2.AsyncClient) -> None:
    for method, path, scope, body in ROUTES:
        assert (await client.request(method, path, json=body)).status_code == 401
        refused = await client.request(method, path, json=body, headers=bearing("receipts:write"))
        assert (refused.status_code, refused.json()["scope"]) == (403, scope)
