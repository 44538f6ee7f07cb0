"""Whoever sees or corrects a person is written down, in the same commit."""

from uuid import uuid4

import asyncpg
import httpx2
import pytest

from shared.database import Database
from tests.support.every_column import tables_holding
from tests.support.registries import bearing

ADA = {"given_name": "Ada", "family_name": "Lovelace", "email": "ada@example.com", "language": "en"}


@pytest.fixture
async def ada(client: httpx2.AsyncClient) -> str:
    return str((await client.post("/v1/members", json=ADA, headers=bearing())).json()["member_id"])


async def accesses(client: httpx2.AsyncClient, **asked: str) -> list[tuple[str, ...]]:
    answer = await client.get("/v1/personal-accesses", params=asked, headers=bearing("members:audit"))
    assert answer.status_code == 200, answer.text
    return [tuple(item[name] for name in ("accessed_by", "purpose", "sight")) for item in answer.json()["items"]]


async def test_every_look_at_a_person_and_every_correction_is_written_down(
    client: httpx2.AsyncClient, database: Database, ada: str
) -> None:
    url = f"/v1/members/{ada}"
    await client.get(url, headers=bearing("members:read", client_id="ann"))
    await client.get(f"{url}?purpose=complaint", headers=bearing("members:read", client_id="ben"))
    await client.get(f"{url}/contact", headers=bearing("members:contact", client_id="notifications"))
    await client.get(f"{url}/name?shown_to=acme/s1/7", headers=bearing("members:name", client_id="redemption"))
    told = {"given_name": "Augusta"}
    await client.patch(url, json=told, headers=bearing("members:write", client_id="ann") | {"If-Match": '"1"'})
    assert await accesses(client, member_id=ada) == [
        ("ann", "rectification", "rectification"),
        ("acme/s1/7", "checkout", "name"),
        ("notifications", "message", "contact"),
        ("ben", "complaint", "member"),
        ("ann", "service", "member"),
    ]
    assert ("ben", "complaint", "member") in await accesses(client, accessed_by="ben")
    assert await tables_holding(database, ["Augusta", "Lovelace"]) == {}


async def test_who_saw_nobody_is_not_written_down(client: httpx2.AsyncClient, ada: str) -> None:
    url = f"/v1/members/{ada}"
    assert (await client.get(f"{url}?purpose=curiosity", headers=bearing())).status_code == 422
    assert (await client.get(url, headers=bearing("members:write"))).status_code == 403
    unknown = str(uuid4())
    assert (await client.get(f"/v1/members/{unknown}", headers=bearing())).status_code == 404
    resolving = {"type": "card", "value": "9001"}
    await client.post("/v1/identifiers:resolve", json=resolving, headers=bearing("members:read"))
    assert await accesses(client, member_id=ada) == await accesses(client, member_id=unknown) == []


async def test_the_record_is_read_in_pages_by_the_programme_alone(client: httpx2.AsyncClient, ada: str) -> None:
    for _ in range(3):
        await client.get(f"/v1/members/{ada}", headers=bearing())
    url = f"/v1/personal-accesses?member_id={ada}"
    page = (await client.get(f"{url}&limit=2", headers=bearing())).json()
    rest = (await client.get(f"{url}&cursor={page['next_cursor']}", headers=bearing())).json()
    entries = [item["entry_id"] for item in page["items"] + rest["items"]]
    assert (len(entries), entries) == (3, sorted(entries, reverse=True))
    assert (await client.get(url)).status_code == 401
    assert (await client.get(url, headers=bearing("members:read"))).status_code == 403
    bound = bearing("members:audit", client_id="acme", partner_id="acme")
    assert (await client.get(url, headers=bound)).status_code == 403


async def test_nobody_rewrites_the_record(client: httpx2.AsyncClient, database: Database, ada: str) -> None:
    await client.get(f"/v1/members/{ada}", headers=bearing())
    for statement in ("update personal_accesses set purpose = 'x'", "delete from personal_accesses"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction() as transaction:
                await transaction.raw.execute(statement)
