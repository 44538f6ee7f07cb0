"""Persons are unreadable in the database, and readable through the service with the right key alone."""

import importlib

import asyncpg
import httpx2
import pytest

from shared.database import Database
from shared.events.catalogue import MEMBERS
from shared.events.members import MemberEnrolled
from tests.support.every_column import tables_holding
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing, members_client, members_settings

ZOE: dict[str, object] = {
    "given_name": "Zoë-Ximena",
    "family_name": "Quagmire",
    "email": "Ximena.Quagmire@Example.com",
    "phone": "(212) 555-0142",
    "birth_date": "1987-05-17",
    "address": {"lines": ["12 Wisteria Lane"], "postal_code": "ZQ 10128", "city": "Gotham", "country": "US"},
    "language": "en-US",
    "region": "US-NY",
    "identifiers": [{"type": "card", "value": "QX77 0011 22"}, {"type": "phone", "value": "212 555 0142"}],
}
PERSONAL = (
    "Ximena", "Quagmire", "example.com", "5550142", "555-0142", "1987-05-17", "Wisteria", "ZQ 10128", "Gotham",
    "QX770011", "QX77 0011",
)  # fmt: skip


async def enrolled(client: httpx2.AsyncClient, body: dict[str, object]) -> str:
    answer = await client.post("/v1/members", json=body, headers=bearing())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["member_id"])


async def test_no_personal_value_stands_in_any_column_of_any_table(
    client: httpx2.AsyncClient, database: Database
) -> None:
    member_id = await enrolled(client, ZOE)
    assert await tables_holding(database, PERSONAL) == {}
    assert set(await tables_holding(database, [member_id])) >= {"members", "persons", "member_keys", "outbox"}


async def test_the_search_finds_text_and_bytes(client: httpx2.AsyncClient, database: Database) -> None:
    member_id = await enrolled(client, ZOE)
    async with database.transaction() as transaction:
        await transaction.raw.execute("update members set region = 'quagmire' where member_id = $1", member_id)
        await transaction.raw.execute("update persons set sealed = $2 where member_id = $1", member_id, b"x Gotham x")
    assert await tables_holding(database, PERSONAL) == {"members": ["Quagmire"], "persons": ["Gotham"]}


async def test_what_was_told_is_read_back_and_only_the_birthday_is_published(
    client: httpx2.AsyncClient, database: Database
) -> None:
    member_id = await enrolled(client, ZOE)
    read = (await client.get(f"/v1/members/{member_id}", headers=bearing("members:read"))).json()
    assert (read["given_name"], read["birth_date"], read["address"]) == ("Zoë-Ximena", "1987-05-17", ZOE["address"])
    event = (await recorded_events(database, MEMBERS))[0].event
    assert isinstance(event, MemberEnrolled)
    assert (event.data.birth_month, event.data.birth_day) == (5, 17)


async def test_a_wrong_master_key_fails_closed(client: httpx2.AsyncClient, database: Database) -> None:
    member_id = await enrolled(client, ZOE)
    for wrong in ("1:" + "4d" * 32, "2:" + "3c" * 32):
        async with members_client(database, members_settings(master_keys=wrong)) as other:
            for url in (f"/v1/members/{member_id}", f"/v1/members/{member_id}/contact"):
                refused = await other.get(url, headers=bearing())
                assert refused.status_code == 500
                assert not any(value in refused.text for value in PERSONAL)
    assert (await client.get(f"/v1/members/{member_id}", headers=bearing())).status_code == 200


async def test_swapped_ciphertexts_fail_closed(client: httpx2.AsyncClient, database: Database) -> None:
    zoe = await enrolled(client, ZOE)
    ben = await enrolled(client, ZOE | {"email": "ben@example.com", "given_name": "Ben", "identifiers": []})
    swap = (
        "update {table} set {column} = other.{column} from {table} as other where {table}.member_id <> other.member_id"
    )
    for table, column in (("persons", "sealed"), ("member_keys", "wrapped_key")):
        for member_id in (zoe, ben):
            assert (await client.get(f"/v1/members/{member_id}", headers=bearing())).status_code == 200
        for expected in (500, 200):  # swapped, and swapped back
            async with database.transaction() as transaction:
                await transaction.raw.execute(swap.format(table=table, column=column))
            for member_id in (zoe, ben):
                read = await client.get(f"/v1/members/{member_id}", headers=bearing())
                assert read.status_code == expected


async def test_a_birth_that_cannot_be_is_refused(client: httpx2.AsyncClient) -> None:
    refused = await client.post("/v1/members", json=ZOE | {"birth_date": "2999-01-01"}, headers=bearing())
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (422, "invalid-request")
    assert "2999" not in refused.text
    for change in ({"birth_date": "1887-01-01"}, {"birth_date": 5}, {"address": {"lines": [], "city": "x"}}):
        refused = await client.post("/v1/members", json=ZOE | change, headers=bearing())
        assert refused.status_code == 422


async def test_the_migration_stops_where_somebody_stands_there_unencrypted(
    client: httpx2.AsyncClient, database: Database
) -> None:
    migration = importlib.import_module("services.members.migrations.0002_sealed_persons")
    async with database.transaction() as transaction:
        await transaction.raw.execute(migration.NOBODY_IS_PLAIN)
    await enrolled(client, ZOE)
    with pytest.raises(asyncpg.RaiseError, match="not converted"):
        async with database.transaction() as transaction:
            await transaction.raw.execute(migration.NOBODY_IS_PLAIN)
