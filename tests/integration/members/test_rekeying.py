"""POST /v1/identifiers:rekey and :retire-key: the identifier key is replaced while the registry works on."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx2
import pytest

from services.members.domain.errors import IdentifierKeyInUseError
from services.members.use_cases.rekey_identifiers import rekey_members
from services.members.use_cases.retire_key import require_known_keys
from shared.database import Database, Transaction, retired_keys
from shared.database.retired_keys import RetiredHashes
from shared.events.catalogue import MEMBERS
from shared.events.members import (
    IdentifierData,
    IdentifierKeyRetired,
    IdentifierLinked,
    IdentifierRevoked,
    MemberErased,
)
from shared.ids import IdentifierType
from tests.support.enrolling import enrol
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing, members_client, members_settings
from tests.support.two_keys import AFTER, BEFORE, BOTH, PREPARED, PREPARING, SWITCHING

CARD = {"type": "card", "value": "9001 2345 6789"}
PHONE = {"type": "phone", "value": "+12125550142"}
NEW_HASH, OLD_HASH = BOTH.hashes(IdentifierType.CARD, "900123456789")
RELOST = {"reason_code": "stolen"}


@pytest.fixture
async def before(database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """A process that knows the old key alone; by now everything is linked under it."""
    async with database.transaction() as transaction:
        await transaction.raw.execute("delete from retired_identifier_keys")
    async with members_client(database, BEFORE) as client:
        yield client


@pytest.fixture
async def preparing(before: httpx2.AsyncClient, database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """The new key is known everywhere, and nobody hashes with it."""
    del before
    async with members_client(database, PREPARING) as client:
        yield client


@pytest.fixture
async def switched(before: httpx2.AsyncClient, database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """The new key is the present one, and the old one is known."""
    del before
    async with members_client(database, SWITCHING) as client:
        yield client


async def ask(client: httpx2.AsyncClient, action: str, **body: object) -> httpx2.Response:
    return await client.post(f"/v1/identifiers:{action}", json=body, headers=bearing("identifiers:rekey"))


async def rekey(client: httpx2.AsyncClient, members_max: int = 200) -> tuple[int, int]:
    """A whole run: how many hashes were written, and how much has no value."""
    rekeyed = without_value = 0
    after: str | None = None
    while True:
        page = (await ask(client, "rekey", after=after, members_max=members_max)).json()
        rekeyed, without_value = rekeyed + page["rekeyed"], without_value + page["without_value"]
        if (after := page["last_member_id"]) is None:
            return rekeyed, without_value


async def versions(database: Database) -> dict[str, int]:
    """How many hashes there are by the version of their key."""
    statement = "select split_part(identifier_hash, '.', 1) as version, count(*) from identifiers group by 1"
    async with database.transaction() as transaction:
        return {row["version"]: row["count"] for row in await transaction.raw.fetch(statement)}


async def told(database: Database) -> list[IdentifierData]:
    return [
        row.event.data
        for row in await recorded_events(database, MEMBERS)
        if isinstance(row.event, IdentifierLinked | IdentifierRevoked)
    ]


def slug(response: httpx2.Response) -> str:
    return str(response.json()["type"].rpartition("/")[2])


async def test_everything_is_hashed_anew_page_by_page_and_once(
    database: Database, before: httpx2.AsyncClient, preparing: httpx2.AsyncClient
) -> None:
    ada = await enrol(before, "ada", CARD, PHONE)
    virtual = await before.post(f"/v1/members/{ada}/virtual-cards", headers=bearing())
    await enrol(before, "ben")
    await before.post("/v1/identifiers:block", json={"identifier": PHONE} | RELOST, headers=bearing())
    earlier = await told(database)
    count = len(earlier)

    assert await rekey(preparing, members_max=1) == (5, 0)  # two cards, a phone, two e-mail addresses

    news = (await told(database))[count:]
    assert {(data.identifier_hash.split(".")[0], data.identifier_type, data.state) for data in news} == {
        ("2", "card", "active"),
        ("2", "phone", "blocked"),
    }
    assert len(news) == 3  # an e-mail address is told to nobody
    assert {data.linked_at for data in news} == {data.linked_at for data in earlier}  # a new key links nothing
    assert await versions(database) == {"1": 5, "2": 5}
    assert await rekey(preparing) == (0, 0)
    assert len(await told(database)) == count + 3
    async with members_client(database, SWITCHING) as switched:
        number = {"type": "card", "value": virtual.json()["number"]}
        resolved = await switched.post("/v1/identifiers:resolve", json=number, headers=bearing())
        assert resolved.json()["member_id"] == ada
        read = (await switched.get(f"/v1/members/{ada}", headers=bearing())).json()
    assert read["version"] == 3  # the card and the block; a new key is no change


async def test_a_run_that_broke_off_is_begun_again(
    database: Database, before: httpx2.AsyncClient, preparing: httpx2.AsyncClient
) -> None:
    for number in range(3):
        await enrol(before, f"member{number}")

    async def cut_off(transaction: Transaction) -> None:
        await rekey_members(transaction, PREPARING.identities, PREPARING.keys, None, 3)
        raise RuntimeError("a power cut before the commit")

    with pytest.raises(RuntimeError, match="power"):
        await database.run(cut_off)
    assert await versions(database) == {"1": 3}
    page = (await ask(preparing, "rekey", members_max=2)).json()  # and then nothing more was asked for
    assert (page["members"], page["rekeyed"]) == (2, 2)

    assert await rekey(preparing) == (1, 0)
    assert await versions(database) == {"1": 3, "2": 3}


async def test_a_merge_keeps_what_is_needed_to_hash_anew(before: httpx2.AsyncClient, database: Database) -> None:
    ada, other = await enrol(before, "ada"), await enrol(before, "other", CARD)
    body = {"merged_member_id": other, "reason_code": "duplicate"}
    await before.post(f"/v1/members/{ada}/merge", json=body, headers=bearing())

    async with members_client(database, SWITCHING) as switched:
        assert await rekey(switched) == (3, 0)  # both addresses, for the other one is the survivor's too
        resolved = await switched.post("/v1/identifiers:resolve", json=CARD, headers=bearing())

    assert resolved.json()["member_id"] == ada


async def test_what_has_no_value_is_counted_and_hashed_anew_when_it_is_linked_again(
    database: Database, before: httpx2.AsyncClient, switched: httpx2.AsyncClient
) -> None:
    ada = await enrol(before, "ada", CARD)
    async with database.transaction() as transaction:  # linked before values were kept
        await transaction.raw.execute("update identifiers set sealed_value = null")

    assert await rekey(switched) == (1, 1)  # the address stands with the person
    assert slug(await ask(switched, "retire-key", key_version=1)) == "identifier-key-in-use"

    await switched.post(f"/v1/members/{ada}/identifiers", json=CARD, headers=bearing())
    assert await rekey(switched) == (0, 0)
    assert (await ask(switched, "retire-key", key_version=1)).status_code == 200


async def test_a_wrong_key_writes_nothing(database: Database, before: httpx2.AsyncClient) -> None:
    await enrol(before, "ada", CARD)
    wrong = members_settings(identifier_key="77" * 32, **PREPARED)

    async with members_client(database, wrong) as client:
        assert slug(await ask(client, "rekey")) == "wrong-identifier-key"

    assert await versions(database) == {"1": 2}


async def test_a_retired_key_leaves_no_hash_and_is_told_once(
    database: Database, before: httpx2.AsyncClient, switched: httpx2.AsyncClient
) -> None:
    ada = await enrol(before, "ada", CARD)
    assert slug(await ask(switched, "retire-key", key_version=2)) == "identifier-key-in-use"
    assert slug(await ask(switched, "retire-key", key_version=1)) == "identifier-key-in-use"
    await rekey(switched)

    for _ in range(2):
        answer = await ask(switched, "retire-key", key_version=1)
        assert (answer.status_code, answer.json()) == (200, {"key_version": 1})
    await RetiredHashes(database, "identifiers").let_go()

    assert await versions(database) == {"2": 2}
    events = [row.event for row in await recorded_events(database, MEMBERS)]
    (event,) = [event for event in events if isinstance(event, IdentifierKeyRetired)]
    assert event.data.key_version == 1
    async with members_client(database, AFTER) as after:
        resolved = await after.post("/v1/identifiers:resolve", json=CARD, headers=bearing())
        assert resolved.json()["member_id"] == ada
        named = {"identifier_hash": NEW_HASH, "reason_code": "stolen"}
        blocked = await after.post("/v1/identifiers:block", json=named, headers=bearing())
        assert blocked.json()["state"] == "blocked"


async def test_the_registry_does_not_start_without_a_key_that_it_needs(
    database: Database, before: httpx2.AsyncClient, switched: httpx2.AsyncClient
) -> None:
    await enrol(before, "ada", CARD)

    with pytest.raises(IdentifierKeyInUseError, match="version 1"):
        async with members_client(database, AFTER):
            pass

    await rekey(switched)
    await ask(switched, "retire-key", key_version=1)
    async with members_client(database, AFTER) as after:
        assert (await after.get("/v1/personal-accesses", headers=bearing())).status_code == 200


async def test_an_erasure_names_the_hash_of_a_key_that_nothing_was_hashed_with_yet(
    database: Database, before: httpx2.AsyncClient, switched: httpx2.AsyncClient
) -> None:
    ada = await enrol(before, "ada", CARD)

    body = {"reason_code": "member_request"}
    answer = await switched.post(f"/v1/members/{ada}/erase", json=body, headers=bearing())
    assert answer.status_code == 200, answer.text

    (event,) = [row.event for row in await recorded_events(database, MEMBERS) if isinstance(row.event, MemberErased)]
    assert set(event.data.identifier_hashes) == {NEW_HASH, OLD_HASH}
    assert event.data.member_id == UUID(ada)
    assert await versions(database) == {}


@pytest.mark.parametrize(
    ("action", "body"), [("rekey", {}), ("retire-key", {"key_version": 1})], ids=["rekey", "retire-key"]
)
async def test_the_key_is_the_programmes_to_replace(
    client: httpx2.AsyncClient, action: str, body: dict[str, Any]
) -> None:
    url = f"/v1/identifiers:{action}"
    assert (await client.post(url, json=body)).status_code == 401
    assert (await client.post(url, json=body, headers=bearing("identifiers:write"))).status_code == 403
    bound = bearing("identifiers:rekey", client_id="acme", partner_id="acme")
    assert (await client.post(url, json=body, headers=bound)).status_code == 403
    assert (await client.post(url, json={"key_version": 0, "members_max": 0}, headers=bearing())).status_code == 422


async def test_only_a_key_that_is_older_than_the_present_one_is_retired(
    before: httpx2.AsyncClient, preparing: httpx2.AsyncClient, switched: httpx2.AsyncClient
) -> None:
    await enrol(before, "ada", CARD)
    assert (await ask(switched, "retire-key", key_version=3)).status_code == 409  # that never was
    assert (await ask(preparing, "retire-key", key_version=2)).status_code == 409  # that is to be the next one


async def test_members_does_not_start_with_a_present_key_that_was_retired(database: Database) -> None:
    await database.run(lambda transaction: retired_keys.retire(transaction, 2))
    with pytest.raises(IdentifierKeyInUseError, match="version 2"):
        await database.run(lambda transaction: require_known_keys(transaction, SWITCHING.hashing_keys))
