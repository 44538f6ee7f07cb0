"""Two identifier keys are valid at a time: under whatever key something was linked, it has one owner and state."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx2
import pytest

from shared.database import Database
from shared.events.catalogue import MEMBERS
from shared.events.members import IdentifierData, IdentifierLinked, IdentifierRevoked, MemberErased
from shared.ids import IdentifierType, hash_identifier
from tests.support.enrolling import enrol, person
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing, members_client
from tests.support.two_keys import BEFORE, BOTH, NEW, OLD, PREPARING, SWITCHING

CARD = {"type": "card", "value": "9001 2345 6789"}
NEW_CARD = {"type": "card", "value": "9001 2345 7777"}
CARD_HASHES = BOTH.hashes(IdentifierType.CARD, "900123456789")
NEW_HASH, OLD_HASH = CARD_HASHES


@pytest.fixture
async def before(database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """A process that knows the old key alone."""
    async with members_client(database, BEFORE) as client:
        yield client


@pytest.fixture
async def preparing(database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """A process that hashes with the old key, and knows the new one."""
    async with members_client(database, PREPARING) as client:
        yield client


@pytest.fixture
async def switched(database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """A process that hashes with the new key, and knows the old one."""
    async with members_client(database, SWITCHING) as client:
        yield client


async def link(client: httpx2.AsyncClient, member_id: str, identifier: dict[str, str]) -> httpx2.Response:
    return await client.post(f"/v1/members/{member_id}/identifiers", json=identifier, headers=bearing())


async def act(client: httpx2.AsyncClient, action: str, **named: object) -> httpx2.Response:
    return await client.post(f"/v1/identifiers:{action}", json=named | {"reason_code": "stolen"}, headers=bearing())


async def resolve(client: httpx2.AsyncClient, identifier: dict[str, str]) -> httpx2.Response:
    return await client.post("/v1/identifiers:resolve", json=identifier, headers=bearing())


def slug(response: httpx2.Response) -> str:
    return str(response.json()["type"].rpartition("/")[2])


async def told(database: Database) -> list[IdentifierData]:
    return [
        row.event.data
        for row in await recorded_events(database, MEMBERS)
        if isinstance(row.event, IdentifierLinked | IdentifierRevoked)
    ]


async def states(database: Database, member_id: str) -> dict[str, str]:
    """The states of a member's identifiers by their hashes, as projections have them: the last told counts."""
    return {data.identifier_hash: data.state for data in await told(database) if str(data.member_id) == member_id}


async def test_what_was_linked_under_the_old_key_is_nobody_elses_under_the_new_one(
    database: Database, before: httpx2.AsyncClient, switched: httpx2.AsyncClient
) -> None:
    ada, ben = await enrol(before, "ada", CARD), await enrol(before, "ben")

    assert slug(await link(switched, ben, CARD)) == "identifier-taken"
    enrolled = await switched.post("/v1/members", json=person("eve", CARD), headers=bearing())
    assert (enrolled.status_code, slug(enrolled)) == (409, "identifier-taken")
    again = await switched.post("/v1/members", json=person("ada", email="ADA@example.com"), headers=bearing())
    assert (again.status_code, slug(again)) == (409, "already-enrolled")
    assert (await resolve(switched, CARD)).json()["member_id"] == ada
    body = {"old": {"identifier": NEW_CARD}, "new": CARD, "reason_code": "worn_out"}
    replaced = await switched.post(f"/v1/members/{ben}/identifiers:replace", json=body, headers=bearing())
    assert slug(replaced) == "identifier-taken"
    assert await states(database, ben) == {}
    async with database.transaction() as transaction:
        assert await transaction.raw.fetchval("select count(*) from identifiers where member_id = $1", ben) == 1


async def test_what_is_linked_while_two_are_valid_is_known_to_processes_of_either_kind(
    database: Database, before: httpx2.AsyncClient, preparing: httpx2.AsyncClient, switched: httpx2.AsyncClient
) -> None:
    ada = await enrol(preparing, "ada", CARD)
    assert (await link(switched, ada, NEW_CARD)).status_code == 201

    for client in (before, preparing, switched):
        assert (await resolve(client, CARD)).json()["member_id"] == ada
        assert (await resolve(client, NEW_CARD)).json()["member_id"] == ada
    assert {data.identifier_hash.split(".")[0] for data in await told(database)} == {"1", "2"}
    read = (await switched.get(f"/v1/members/{ada}", headers=bearing())).json()
    assert [item["identifier_hash"].split(".")[0] for item in read["identifiers"]] == ["2", "2"]
    assert read["version"] == 2  # two hashes of one card are one change


async def test_a_block_holds_under_both_keys_and_is_one_change(
    database: Database, before: httpx2.AsyncClient, switched: httpx2.AsyncClient
) -> None:
    ada = await enrol(switched, "ada", CARD)

    answer = await act(before, "block", identifier=CARD)  # a process that knows the old key alone
    assert answer.json()["state"] == "blocked"

    assert await states(database, ada) == {NEW_HASH: "blocked", OLD_HASH: "blocked"}
    assert slug(await resolve(switched, CARD)) == "identifier-not-active"
    assert (await act(switched, "unblock", identifier_hash=OLD_HASH)).json()["identifier_hash"] == NEW_HASH
    assert await states(database, ada) == {NEW_HASH: "active", OLD_HASH: "active"}
    history = (await switched.get(f"/v1/members/{ada}/identifier-changes", headers=bearing())).json()["changes"]
    assert [change["action"] for change in history] == ["unblock", "block"]


async def test_linking_what_is_the_members_already_makes_it_known_under_the_new_key(
    database: Database, before: httpx2.AsyncClient, switched: httpx2.AsyncClient
) -> None:
    ada = await enrol(before, "ada", CARD)
    await act(before, "block", identifier=CARD)

    answer = await link(switched, ada, CARD)

    assert (answer.json()["state"], answer.json()["identifier_hash"]) == ("blocked", NEW_HASH)
    assert await states(database, ada) == {OLD_HASH: "blocked", NEW_HASH: "blocked"}
    count = len(await told(database))
    assert (await link(switched, ada, CARD)).status_code == 201
    assert len(await told(database)) == count  # nothing is left to tell


async def test_a_replacement_names_the_old_card_by_either_hash(
    database: Database, before: httpx2.AsyncClient, switched: httpx2.AsyncClient
) -> None:
    ada = await enrol(switched, "ada", CARD)
    body = {"old": {"identifier_hash": OLD_HASH}, "new": NEW_CARD, "reason_code": "worn_out"}

    answer = await switched.post(f"/v1/members/{ada}/identifiers:replace", json=body, headers=bearing())

    assert answer.status_code == 200, answer.text
    last = await states(database, ada)
    assert {each: last[each] for each in CARD_HASHES} == dict.fromkeys(CARD_HASHES, "replaced")
    assert (await resolve(before, NEW_CARD)).json()["member_id"] == ada
    itself = {"old": {"identifier_hash": OLD_HASH}, "new": CARD, "reason_code": "worn_out"}
    same = await switched.post(f"/v1/members/{ada}/identifiers:replace", json=itself, headers=bearing())
    assert slug(same) == "unlike-replacement"


async def test_a_retry_is_one_on_both_sides_of_the_switch(
    preparing: httpx2.AsyncClient, switched: httpx2.AsyncClient
) -> None:
    headers = bearing() | {"Idempotency-Key": uuid4().hex}
    first = await preparing.post("/v1/members", json=person("ada", CARD), headers=headers)

    again = await switched.post("/v1/members", json=person("ada", CARD), headers=headers)

    assert (again.status_code, again.json()) == (201, first.json())


async def test_an_erasure_names_the_hashes_of_both_keys_and_keeps_neither(
    database: Database, switched: httpx2.AsyncClient
) -> None:
    ada = await enrol(switched, "ada", CARD)

    body = {"reason_code": "member_request"}
    answer = await switched.post(f"/v1/members/{ada}/erase", json=body, headers=bearing())
    assert answer.status_code == 200, answer.text

    (event,) = [row.event for row in await recorded_events(database, MEMBERS) if isinstance(row.event, MemberErased)]
    assert set(event.data.identifier_hashes) == set(CARD_HASHES)
    async with database.transaction() as transaction:
        assert await transaction.raw.fetchval("select count(*) from identifiers") == 0
    ben = await enrol(switched, "ben", CARD)
    assert (await resolve(switched, CARD)).json()["member_id"] == ben


async def test_a_merge_moves_both_hashes_at_once(database: Database, switched: httpx2.AsyncClient) -> None:
    ada, other = await enrol(switched, "ada"), await enrol(switched, "other", CARD)

    body = {"merged_member_id": other, "reason_code": "duplicate"}
    answer = await switched.post(f"/v1/members/{ada}/merge", json=body, headers=bearing())
    assert answer.status_code == 200, answer.text

    assert await states(database, ada) == dict.fromkeys(CARD_HASHES, "active")
    history = (await switched.get(f"/v1/members/{ada}/identifier-changes", headers=bearing())).json()["changes"]
    assert [change["action"] for change in history] == ["merge"]


async def test_a_new_address_is_claimed_under_both_keys_and_the_old_one_is_free_under_both(
    before: httpx2.AsyncClient, switched: httpx2.AsyncClient
) -> None:
    ada = await enrol(before, "ada")
    headers = bearing() | {"If-Match": '"1"'}

    changed = await switched.patch(f"/v1/members/{ada}", json={"email": "countess@example.com"}, headers=headers)
    assert changed.status_code == 200, changed.text

    for client in (before, switched):
        taken = await client.post("/v1/members", json=person("x", email="countess@example.com"), headers=bearing())
        assert slug(taken) == "already-enrolled"
    await enrol(before, "ada")  # the first address again


async def test_a_card_that_joined_first_stays_readable_when_a_person_is_merged_into_it(
    switched: httpx2.AsyncClient,
) -> None:
    joined = await switched.post(
        "/v1/members:card-first", json={"language": "en", "identifiers": [CARD]}, headers=bearing()
    )
    assert joined.status_code == 201, joined.text
    survivor, other = joined.json()["member_id"], await enrol(switched, "ada", NEW_CARD)

    body = {"merged_member_id": other, "reason_code": "duplicate"}
    merged = await switched.post(f"/v1/members/{survivor}/merge", json=body, headers=bearing())
    assert merged.status_code == 200, merged.text

    read = await switched.get(f"/v1/members/{survivor}", headers=bearing())
    assert read.json()["email"] == "ada@example.com"


def test_the_hashes_are_those_of_the_two_keys() -> None:
    assert tuple(hash_identifier(IdentifierType.CARD, "900123456789", key) for key in (NEW, OLD)) == CARD_HASHES
