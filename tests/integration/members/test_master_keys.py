"""A master key is replaced without a stop: both are valid while members' keys are wrapped anew."""

import asyncio

import httpx2
import pytest

from services.members.sealing.master_keys import MasterKeyMissingError, MasterKeys
from services.members.use_cases.rewrap_keys import rewrap_all
from shared.database import Database
from tests.support.registries import MASTER_KEYS, bearing, members_client, members_settings

SECOND = "2:" + "4d" * 32


async def enrol(client: httpx2.AsyncClient, number: int) -> str:
    body = {"given_name": "Ada", "family_name": "Test", "email": f"ada{number}@example.com", "language": "en"}
    return str((await client.post("/v1/members", json=body, headers=bearing())).json()["member_id"])


async def wrapped_by(database: Database) -> dict[str, int]:
    statement = "select master_key_id, count(*) as keys from member_keys group by master_key_id"
    async with database.transaction() as transaction:
        return {row["master_key_id"]: row["keys"] for row in await transaction.raw.fetch(statement)}


async def test_members_keys_are_wrapped_anew_and_the_old_master_key_is_of_no_use_any_more(
    client: httpx2.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.members.use_cases.rewrap_keys.KEYS_PER_PAGE_MAX", 2)
    members = [await enrol(client, number) for number in range(5)]
    async with database.transaction() as transaction:
        sealed = await transaction.raw.fetch("select * from persons order by member_id")
    both = f"{SECOND},{MASTER_KEYS}"
    async with members_client(database, members_settings(master_keys=both)) as during:
        members.append(await enrol(during, 5))
        assert await wrapped_by(database) == {"1": 5, "2": 1}
        await asyncio.gather(*(rewrap_all(database, MasterKeys.parse(both)) for _ in range(2)))
        assert await wrapped_by(database) == {"2": 6}
        assert (await during.get(f"/v1/members/{members[0]}", headers=bearing())).status_code == 200
    async with members_client(database, members_settings(master_keys=SECOND)) as after:
        for member_id in members:
            read = await after.get(f"/v1/members/{member_id}", headers=bearing())
            assert (read.status_code, read.json()["given_name"]) == (200, "Ada")
    assert (await client.get(f"/v1/members/{members[0]}", headers=bearing())).status_code == 500
    async with database.transaction() as transaction:
        kept = await transaction.raw.fetch(
            "select * from persons where sealed = any($1::bytea[])", [row["sealed"] for row in sealed]
        )
    assert len(kept) == 5


async def test_what_no_master_key_opens_is_left_as_it_is(client: httpx2.AsyncClient, database: Database) -> None:
    await enrol(client, 1)
    with pytest.raises(MasterKeyMissingError):
        await rewrap_all(database, MasterKeys.parse(SECOND))
    assert await wrapped_by(database) == {"1": 1}
