"""Blocking, unblocking, losing and replacing identifiers."""

import asyncio
from uuid import UUID

import asyncpg
import httpx2
import pytest

from shared.database import Database
from shared.events.catalogue import MEMBERS
from shared.events.members import IdentifierLinked, IdentifierRevoked
from tests.support.enrolling import enrol
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing

CARD = {"type": "card", "value": "9001 2345 6789"}
NEW_CARD = {"type": "card", "value": "9001 2345 7777"}
PHONE = {"type": "phone", "value": "+12125550142"}


async def act(client: httpx2.AsyncClient, action: str, identifier: dict[str, str]) -> httpx2.Response:
    body = {"identifier": identifier, "reason_code": "member_asked"}
    return await client.post(f"/v1/identifiers:{action}", json=body, headers=bearing(client_id="desk"))


async def replace(
    client: httpx2.AsyncClient, member_id: str, old: dict[str, str], new: dict[str, str], **more: object
) -> httpx2.Response:
    body = {"old": {"identifier": old}, "new": new, "reason_code": "worn_out"} | more
    return await client.post(f"/v1/members/{member_id}/identifiers:replace", json=body, headers=bearing())


async def resolve(client: httpx2.AsyncClient, *identifiers: dict[str, str]) -> httpx2.Response:
    return await client.post("/v1/identifiers:resolve", json={"identifiers": list(identifiers)}, headers=bearing())


async def history(client: httpx2.AsyncClient, member_id: str) -> list[dict[str, object]]:
    answer = await client.get(f"/v1/members/{member_id}/identifier-changes", headers=bearing())
    return list(answer.json()["changes"])


def slug(response: httpx2.Response) -> str:
    return str(response.json()["type"].rpartition("/")[2])


async def told(database: Database) -> list[tuple[type, str, int]]:
    return [
        (type(row.event), row.event.data.state, row.event.data.version)
        for row in await recorded_events(database, MEMBERS)
        if isinstance(row.event, IdentifierLinked | IdentifierRevoked)
    ]


async def test_a_blocked_card_is_revoked_and_an_unblocked_one_linked_again(
    client: httpx2.AsyncClient, database: Database
) -> None:
    member_id = await enrol(client, "ada", CARD)
    blocked = await act(client, "block", CARD)
    assert (blocked.status_code, blocked.json()["state"], blocked.json()["version"]) == (200, "blocked", 2)
    assert slug(await resolve(client, CARD)) == "identifier-not-active"
    assert (await act(client, "unblock", CARD)).json()["version"] == 3
    assert (await resolve(client, CARD)).json() == {"member_id": member_id, "type": "card"}
    assert await told(database) == [
        (IdentifierLinked, "active", 1),
        (IdentifierRevoked, "blocked", 2),
        (IdentifierLinked, "active", 3),
    ]
    read = await client.get(f"/v1/members/{member_id}", headers=bearing())
    assert read.json()["version"] == 3


async def test_what_is_so_already_does_not_happen_again(client: httpx2.AsyncClient, database: Database) -> None:
    await enrol(client, "ada", CARD)
    answers = await asyncio.gather(*(act(client, "block", CARD) for _ in range(6)))
    assert {(answer.status_code, answer.json()["version"]) for answer in answers} == {(200, 2)}
    assert len(await told(database)) == 2


async def test_what_is_lost_is_lost_for_good(client: httpx2.AsyncClient) -> None:
    await enrol(client, "ada", CARD)
    assert (await act(client, "report-lost", CARD)).json()["state"] == "lost"
    for action in ("block", "unblock"):
        refused = await act(client, action, CARD)
        assert (refused.status_code, slug(refused)) == (409, "identifier-state")
        assert "lost" in refused.json()["detail"]


async def test_an_identifier_may_be_named_by_its_hash_and_nobodys_is_not_found(client: httpx2.AsyncClient) -> None:
    await enrol(client, "ada", CARD)
    by_hash = (await act(client, "block", CARD)).json()["identifier_hash"]
    body = {"identifier_hash": by_hash, "reason_code": "found"}
    unblocked = await client.post("/v1/identifiers:unblock", json=body, headers=bearing())
    assert unblocked.json()["state"] == "active"
    assert (await act(client, "block", NEW_CARD)).status_code == 404
    both = body | {"identifier": CARD}
    assert (await client.post("/v1/identifiers:block", json=both, headers=bearing())).status_code == 422


async def test_an_email_address_cannot_be_blocked(client: httpx2.AsyncClient, database: Database) -> None:
    await enrol(client, "ada")
    async with database.transaction() as transaction:
        email_hash = await transaction.raw.fetchval("select identifier_hash from identifiers")
    body = {"identifier_hash": email_hash, "reason_code": "x"}
    assert (await client.post("/v1/identifiers:block", json=body, headers=bearing())).status_code == 404


async def test_a_card_is_replaced_at_once_and_the_new_one_leads_to_the_same_member(
    client: httpx2.AsyncClient, database: Database
) -> None:
    member_id = await enrol(client, "ada", CARD)
    replaced = await replace(client, member_id, CARD, NEW_CARD)
    assert replaced.status_code == 200, replaced.text
    assert (replaced.json()["old"]["state"], replaced.json()["new"]["state"]) == ("replaced", "active")
    assert (await resolve(client, CARD)).status_code == 409
    assert (await resolve(client, NEW_CARD)).json()["member_id"] == member_id
    recorded = await recorded_events(database, MEMBERS)
    assert {row.key for row in recorded} == {member_id}
    assert [type(row.event) for row in recorded[-2:]] == [IdentifierLinked, IdentifierRevoked]
    again = await replace(client, member_id, CARD, NEW_CARD)
    assert again.json() == replaced.json()
    assert len(await recorded_events(database, MEMBERS)) == len(recorded)


async def test_a_lost_card_stays_lost_when_it_is_replaced(client: httpx2.AsyncClient) -> None:
    member_id = await enrol(client, "ada", CARD)
    await act(client, "report-lost", CARD)
    assert (await replace(client, member_id, CARD, NEW_CARD)).json()["old"]["state"] == "lost"
    third = {"type": "card", "value": "900123458888"}
    lost = await replace(client, member_id, NEW_CARD, third, is_lost=True)
    assert (lost.json()["old"]["state"], lost.json()["new"]["state"]) == ("lost", "active")
    assert (await resolve(client, third)).json()["member_id"] == member_id


async def test_a_refused_replacement_changes_nothing(client: httpx2.AsyncClient, database: Database) -> None:
    ada, ben = await enrol(client, "ada", CARD), await enrol(client, "ben", NEW_CARD, PHONE)
    before = await told(database)
    refusals = {
        "identifier-taken": await replace(client, ada, CARD, NEW_CARD),
        "identifier-unknown": await replace(client, ben, CARD, {"type": "card", "value": "4444"}),
        "unlike-replacement": await replace(client, ben, PHONE, {"type": "card", "value": "4444"}),
    }
    assert {name: slug(answer) for name, answer in refusals.items()} == {name: name for name in refusals}
    assert slug(await replace(client, ada, CARD, CARD)) == "unlike-replacement"
    assert await told(database) == before
    assert (await resolve(client, CARD)).json()["member_id"] == ada
    assert (await resolve(client, {"type": "card", "value": "4444"})).status_code == 404


async def test_two_members_who_swap_cards_do_not_deadlock_and_neither_gets_the_others(
    client: httpx2.AsyncClient,
) -> None:
    ada, ben = await enrol(client, "ada", CARD), await enrol(client, "ben", NEW_CARD)
    answers = await asyncio.gather(
        *(replace(client, *swap) for _ in range(4) for swap in ((ada, CARD, NEW_CARD), (ben, NEW_CARD, CARD)))
    )
    assert {answer.status_code for answer in answers} == {409}
    assert (await resolve(client, CARD)).json()["member_id"] == ada
    assert (await resolve(client, NEW_CARD)).json()["member_id"] == ben


async def test_of_several_the_first_in_match_order_that_is_in_use_says_who_is_there(
    client: httpx2.AsyncClient,
) -> None:
    ada, ben = await enrol(client, "ada", CARD), await enrol(client, "ben", PHONE)
    assert (await resolve(client, PHONE, CARD)).json() == {"member_id": ada, "type": "card"}
    await act(client, "block", CARD)
    assert (await resolve(client, PHONE, CARD)).json() == {"member_id": ben, "type": "phone"}
    assert (await resolve(client, NEW_CARD, CARD)).status_code == 409
    assert (await resolve(client, NEW_CARD)).status_code == 404


async def test_the_history_says_who_did_what_and_why_and_cannot_be_changed(
    client: httpx2.AsyncClient, database: Database
) -> None:
    member_id = await enrol(client, "ada")
    await client.post(f"/v1/members/{member_id}/identifiers", json=CARD, headers=bearing(client_id="app"))
    await act(client, "block", CARD)
    await replace(client, member_id, CARD, NEW_CARD)
    changes = await history(client, member_id)
    of_card = [one for one in changes if one["version"] != 1 or one["reason_code"] == "linked"]
    assert [(one["action"], one["from_state"], one["to_state"], one["author"]) for one in reversed(of_card)] == [
        ("link", "issued", "active", "app"),
        ("block", "active", "blocked", "desk"),
        ("replace", "blocked", "replaced", "programme"),
    ]
    assert len({one["identifier_id"] for one in changes}) == 2
    async with database.transaction() as transaction:
        kept = str(await transaction.raw.fetch("select * from identifier_changes"))
        hashes = await transaction.raw.fetch("select identifier_hash from identifiers")
    assert not any(row[0] in kept for row in hashes)
    for attempt in ("delete from identifier_changes", "update identifier_changes set author = 'nobody'"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction() as transaction:
                await transaction.raw.execute(attempt)


async def test_changes_are_the_programmes_alone(client: httpx2.AsyncClient) -> None:
    member_id = UUID(await enrol(client, "ada", CARD))
    body = {"identifier": CARD, "reason_code": "x"}
    paths = [f"/v1/identifiers:{action}" for action in ("block", "unblock", "report-lost")]
    for path in paths:
        refused = await client.post(path, json=body, headers=bearing("members:write"))
        assert (refused.status_code, refused.json()["scope"]) == (403, "identifiers:write")
    partner = bearing("members:read", client_id="acme", partner_id="acme")
    assert (await client.get(f"/v1/members/{member_id}/identifier-changes", headers=partner)).status_code == 403
