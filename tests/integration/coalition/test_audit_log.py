"""Every administrative act stands in the audit log, in the act's own transaction, and nobody rewrites it."""

from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest

from services.coalition.domain.audit import SETTINGS_AUTHOR
from shared.database import Database
from tests.support.registries import bearing, coalition_client, coalition_settings


async def entries(client: httpx2.AsyncClient, **filters: str) -> list[dict[str, Any]]:
    answer = await client.get("/v1/audit-log", params=filters, headers=bearing("audit:read"))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_every_registration_is_an_act_with_its_author(client: httpx2.AsyncClient) -> None:
    author = f"admin-{uuid4().hex}"
    store = {"store_id": "s1", "name": "S", "time_zone": "UTC", "tills": [{"till_id": "t1", "key_scheme": "sequence"}]}
    for path, body in (
        ("/v1/partners", {"partner_id": "acme", "name": "Acme"}),
        ("/v1/partners/acme/stores:batch", {"stores": [store]}),
        ("/v1/partners/acme/stores", {"store_id": "s2", "name": "S", "time_zone": "UTC"}),
        ("/v1/partners/acme/stores/s2/tills", {"till_id": "t2", "key_scheme": "document"}),
        ("/v1/api-clients", {"client_id": "pos", "partner_id": "acme", "scopes": ["receipts:write"]}),
    ):
        answer = await client.post(path, json=body, headers=bearing(client_id=author) | {"X-Request-Id": "audited-1"})
        assert answer.status_code == 201, answer.text

    found = await entries(client, author=author)

    assert [(each["action"], each["subject"], each["partner_id"]) for each in reversed(found)] == [
        ("partner.registered", "acme", "acme"),
        ("store.registered", "acme/s1", "acme"),
        ("till.registered", "acme/s1/t1", "acme"),
        ("store.registered", "acme/s2", "acme"),
        ("till.registered", "acme/s2/t2", "acme"),
        ("api_client.registered", "pos", "acme"),
    ]
    assert {(each["before"], each["request_id"]) for each in found} == {(None, "audited-1")}
    assert found[0]["after"]["scopes"] == ["receipts:write"]
    assert not any(word in str(found) for word in ("argon2", "sha256", "cs_", "tk_"))


async def test_an_act_that_is_refused_or_repeated_leaves_no_entry_of_its_own(client: httpx2.AsyncClient) -> None:
    author = f"admin-{uuid4().hex}"
    headers = bearing(client_id=author)
    body = {"partner_id": "acme", "name": "Acme"}
    for _ in range(2):
        assert (await client.post("/v1/partners", json=body, headers=headers)).status_code == 201
    refused = await client.post("/v1/partners", json=body, headers=bearing(client_id=author))
    assert refused.status_code == 409

    assert len(await entries(client, author=author)) == 1


async def test_pages_go_from_new_to_old_and_filters_narrow(client: httpx2.AsyncClient) -> None:
    author = f"admin-{uuid4().hex}"
    for number in range(3):
        body = {"partner_id": f"p{number}", "name": "P"}
        await client.post("/v1/partners", json=body, headers=bearing(client_id=author))
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await client.get(
            "/v1/audit-log",
            params={"author": author, "limit": "2"} | ({"cursor": cursor} if cursor else {}),
            headers=bearing("audit:read"),
        )
        seen += [item["subject"] for item in page.json()["items"]]
        if (cursor := page.json()["next_cursor"]) is None:
            break

    assert seen == ["p2", "p1", "p0"]
    (only,) = await entries(client, author=author, subject="p1")
    assert await entries(client, author=author, until=only["at"]) == await entries(client, author=author, subject="p0")
    assert [each["subject"] for each in await entries(client, author=author, since=only["at"])] == ["p2", "p1"]
    assert await entries(client, author=author, action="partner.left") == []
    assert await entries(client, author=author, partner_id="p9") == []


async def test_what_the_settings_change_is_an_act_too(client: httpx2.AsyncClient, database: Database) -> None:
    declared = {"client_id": f"c-{uuid4().hex}", "secret": "a secret of the settings", "scopes": ["partners:read"]}
    for scopes in (["partners:read"], ["partners:read"], ["rules:read"]):
        async with coalition_client(database, coalition_settings([declared | {"scopes": scopes}])):
            pass

    second, first = await entries(client, subject=str(declared["client_id"]))

    assert (first["author"], first["before"]) == (SETTINGS_AUTHOR, None)
    assert (second["before"]["scopes"], second["after"]["scopes"]) == (["partners:read"], ["rules:read"])


@pytest.mark.parametrize("statement", ["update audit_log set why = 'x'", "delete from audit_log", "truncate audit_log"])
async def test_the_service_itself_cannot_rewrite_the_log(database: Database, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction() as transaction:
            await transaction.raw.execute(statement)


async def test_the_log_is_the_programmes_alone(client: httpx2.AsyncClient) -> None:
    bound = bearing("audit:read", client_id="hq", partner_id="acme")
    assert (await client.get("/v1/audit-log", headers=bound)).status_code == 403


@pytest.mark.parametrize("query", ["cursor=WzBd", "author=%00", "since=2026-03-01T09:30:00", "since=yesterday"])
async def test_what_cannot_be_asked_is_refused(client: httpx2.AsyncClient, query: str) -> None:
    answer = await client.get(f"/v1/audit-log?{query}", headers=bearing("audit:read"))
    assert answer.status_code in (400, 422)
