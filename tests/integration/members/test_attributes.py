"""Attributes over HTTP: declared, filled, read, and sealed where they are personal."""

from typing import Any
from uuid import uuid4

import httpx2
import pytest

from shared.database import Database
from shared.events.catalogue import MEMBERS
from shared.events.members import AttributeDeclared, MemberAttributeChanged
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing

ADA = {"given_name": "Ada", "family_name": "Lovelace", "email": "ada@example.com", "language": "en"}
PARTNER = {"client_id": "acme-pos", "partner_id": "acme"}
DECLARED: tuple[dict[str, object], ...] = (
    {"code": "children", "type": "number", "is_personal": False},
    {"code": "nickname", "type": "text", "is_personal": True, "text_length_max": 20},
    {"code": "size", "type": "choice", "is_personal": False, "choices": ["s", "m", "l"]},
    {"code": "is_vegan", "type": "boolean", "is_personal": True},
)


@pytest.fixture
async def member_id(client: httpx2.AsyncClient) -> str:
    """A member of a programme that wants to know some things."""
    for body in DECLARED:
        declared = await client.post("/v1/attributes", json=body, headers=bearing())
        assert declared.status_code == 201, declared.text
    return str((await client.post("/v1/members", json=ADA, headers=bearing())).json()["member_id"])


async def put(client: httpx2.AsyncClient, member_id: str, code: str, value: object, **more: object) -> httpx2.Response:
    return await client.put(
        f"/v1/members/{member_id}/attributes/{code}",
        json={"value": value, "source": "web"} | more,
        headers=bearing(),
    )


async def values(client: httpx2.AsyncClient, member_id: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/members/{member_id}/attributes", headers=bearing())
    assert answer.status_code == 200, answer.text
    return {one["code"]: one["value"] for one in answer.json()["attributes"]}


def slug(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["type"]).rpartition("/")[2]


async def test_values_are_kept_with_their_source_and_time(client: httpx2.AsyncClient, member_id: str) -> None:
    for code, value in (("children", 2.50), ("nickname", "Countess"), ("size", "m"), ("is_vegan", True)):
        answer = await put(client, member_id, code, value, stated_at="2026-03-01T10:00:00Z", source="till")
        assert (answer.status_code, answer.json()["outcome"]) == (200, "in_effect"), answer.text
        assert "value" not in answer.json()
    assert await values(client, member_id) == {
        "children": "2.5",
        "is_vegan": True,
        "nickname": "Countess",
        "size": "m",
    }
    read = await client.get(f"/v1/members/{member_id}/attributes", headers=bearing())
    assert {(one["source"], one["stated_at"]) for one in read.json()["attributes"]} == {
        ("till", "2026-03-01T10:00:00Z")
    }


async def test_a_personal_value_stands_in_no_column(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    await put(client, member_id, "nickname", "Countess")
    await put(client, member_id, "size", "m")
    async with database.transaction() as transaction:
        rows = await transaction.raw.fetch("select * from attribute_entries order by code")
        others = str([await transaction.raw.fetch(f"select * from {table}") for table in ("outbox", "idempotency")])
    assert [(row["code"], row["plain"], row["sealed"] is None) for row in rows] == [
        ("nickname", None, False),
        ("size", "m", True),
    ]
    assert "Countess" not in str(rows) + others


async def test_the_newest_value_holds_and_all_are_kept(client: httpx2.AsyncClient, member_id: str) -> None:
    at = {"ten": "2026-03-01T10:00:00Z", "noon": "2026-03-01T12:00:00Z"}
    await put(client, member_id, "nickname", "Countess", stated_at=at["noon"])
    late = await put(client, member_id, "nickname", "Adie", stated_at=at["ten"])
    again = await put(client, member_id, "nickname", "Countess", stated_at=at["noon"])
    assert (late.json()["outcome"], again.json()["outcome"]) == ("outdated", "unchanged")
    assert await values(client, member_id) == {"nickname": "Countess"}
    taken = await put(client, member_id, "nickname", None)
    assert taken.json()["outcome"] == "in_effect"
    assert await values(client, member_id) == {}
    url = f"/v1/members/{member_id}/attributes/nickname/history"
    first = (await client.get(f"{url}?limit=2", headers=bearing())).json()
    rest = (await client.get(f"{url}?cursor={first['next_cursor']}", headers=bearing())).json()
    assert [one["value"] for one in first["items"] + rest["items"]] == [None, "Adie", "Countess"]


async def test_who_reads_attributes_is_recorded(client: httpx2.AsyncClient, database: Database, member_id: str) -> None:
    url = f"/v1/members/{member_id}/attributes"
    await client.get(f"{url}?purpose=complaint", headers=bearing(client_id="support"))
    await client.get(f"{url}/nickname/history", headers=bearing(client_id="auditor"))
    async with database.transaction() as transaction:
        rows = await transaction.raw.fetch(
            "select accessed_by, purpose, sight from personal_accesses where member_id = $1 order by entry_id",
            member_id,
        )
    assert [tuple(row) for row in rows] == [
        ("support", "complaint", "attributes"),
        ("auditor", "service", "attributes"),
    ]


async def test_a_declaration_never_changes(client: httpx2.AsyncClient, member_id: str) -> None:
    again = await client.post("/v1/attributes", json=DECLARED[0] | {"type": "boolean"}, headers=bearing())
    assert slug(again) == (409, "attribute-exists")
    listed = await client.get("/v1/attributes?limit=3", headers=bearing(**PARTNER))
    rest = await client.get(f"/v1/attributes?cursor={listed.json()['next_cursor']}", headers=bearing())
    told = [(one["code"], one["type"]) for page in (listed, rest) for one in page.json()["items"]]
    assert told == [("children", "number"), ("is_vegan", "boolean"), ("nickname", "text"), ("size", "choice")]
    assert (await put(client, member_id, "children", 3)).status_code == 200


async def test_a_declaration_that_makes_no_sense_is_refused(client: httpx2.AsyncClient) -> None:
    good = {"code": "size", "type": "choice", "is_personal": False, "choices": ["s", "m"]}
    for change, pointer in (
        ({"choices": []}, "/choices"),
        ({"choices": ["s", "s"]}, "/choices"),
        ({"type": "date"}, "/choices"),
        ({"text_length_max": 5}, "/text_length_max"),
        ({"type": "colour"}, "/type"),
        ({"is_personal": 1}, "/is_personal"),
    ):
        refused = await client.post("/v1/attributes", json=good | change, headers=bearing())
        assert refused.status_code == 422, refused.text
        assert refused.json()["errors"][0]["pointer"] == pointer


async def test_what_is_not_of_the_type_is_refused_and_not_repeated(client: httpx2.AsyncClient, member_id: str) -> None:
    for code, value in (("children", "many"), ("size", "enormous"), ("nickname", "x" * 21), ("is_vegan", "rarely")):
        refused = await put(client, member_id, code, value)
        assert slug(refused) == (422, "invalid-request")
        assert str(value) not in refused.text
    assert slug(await put(client, member_id, "shoes", "x")) == (404, "attribute-unknown")
    assert slug(await put(client, str(uuid4()), "children", 1)) == (404, "not-found")
    future = await put(client, member_id, "children", 1, stated_at="2126-03-01T10:00:00Z")
    assert slug(future) == (422, "stated-in-future")
    assert await values(client, member_id) == {}


ROUTES: tuple[tuple[str, str, str], ...] = (
    ("POST", "/v1/attributes", "declarations:write"),
    ("GET", "/v1/attributes", "members:read"),
    ("PUT", f"/v1/members/{uuid4()}/attributes/size", "members:write"),
    ("GET", f"/v1/members/{uuid4()}/attributes", "members:read"),
    ("GET", f"/v1/members/{uuid4()}/attributes/size/history", "members:read"),
)


async def test_every_route_needs_a_token_with_its_scope_and_values_are_the_programmes(
    client: httpx2.AsyncClient,
) -> None:
    for method, path, scope in ROUTES:
        body: dict[str, object] | None = {"value": "m", "source": "web"} if method != "GET" else None
        assert (await client.request(method, path, json=body)).status_code == 401
        refused = await client.request(method, path, json=body, headers=bearing("receipts:write"))
        assert (refused.status_code, refused.json()["scope"]) == (403, scope)
        if "members/" in path:
            partner = await client.request(method, path, json=body, headers=bearing(scope, **PARTNER))
            assert slug(partner) == (403, "programme-only")


async def test_others_hear_of_what_is_neither_personal_nor_free_text(
    client: httpx2.AsyncClient, database: Database, member_id: str
) -> None:
    club = {"code": "club", "type": "text", "is_personal": False, "text_length_max": 20}
    assert (await client.post("/v1/attributes", json=club, headers=bearing())).status_code == 201
    for code, value in (
        ("size", "m"),
        ("nickname", "Countess"),
        ("is_vegan", True),
        ("club", "Anna's"),
        ("size", None),
    ):
        assert (await put(client, member_id, code, value)).status_code == 200
    await put(client, member_id, "size", "l", stated_at="2020-01-01T00:00:00Z")  # outdated: it changes nothing

    events = [row.event for row in await recorded_events(database, MEMBERS)]

    declared = [event.data.code for event in events if isinstance(event, AttributeDeclared)]
    assert declared == ["children", "size"]
    told = [event.data for event in events if isinstance(event, MemberAttributeChanged)]
    assert [(one.code, one.version, one.says) for one in told] == [("size", 1, "m"), ("size", 2, None)]
