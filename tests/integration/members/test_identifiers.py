"""Linking identifiers to members, and finding members by them."""

import asyncio
from uuid import uuid4

import httpx2

from shared.database import Database
from shared.events.catalogue import MEMBERS
from shared.events.members import IdentifierLinked
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing

CARD = {"type": "card", "value": "9001 2345 6789"}


async def enrolled(client: httpx2.AsyncClient, name: str) -> str:
    body = {"given_name": name, "family_name": "Test", "email": f"{name}@example.com", "language": "en"}
    answer = await client.post("/v1/members", json=body, headers=bearing())
    return str(answer.json()["member_id"])


async def link(client: httpx2.AsyncClient, member_id: str, identifier: dict[str, str]) -> httpx2.Response:
    return await client.post(f"/v1/members/{member_id}/identifiers", json=identifier, headers=bearing())


async def resolve(client: httpx2.AsyncClient, identifier: dict[str, str]) -> httpx2.Response:
    headers = bearing("members:read")
    del headers["Idempotency-Key"]  # it has no effect, so it needs none
    return await client.post("/v1/identifiers:resolve", json=identifier, headers=headers)


async def version_of(database: Database, member_id: str) -> int:
    async with database.transaction() as transaction:
        return int(await transaction.raw.fetchval("select version from members where member_id = $1", member_id))


async def test_a_linked_identifier_leads_to_its_member_in_any_notation(
    client: httpx2.AsyncClient, database: Database
) -> None:
    member_id = await enrolled(client, "ada")
    assert (await resolve(client, CARD)).status_code == 404
    linked = await link(client, member_id, CARD)
    assert linked.status_code == 201, linked.text
    assert (linked.json()["member_id"], linked.json()["version"]) == (member_id, 1)
    found = await resolve(client, {"type": "card", "value": "9001-2345-6789"})
    assert (found.status_code, found.json()) == (200, {"member_id": member_id})
    assert (await resolve(client, {"type": "token", "value": "900123456789"})).status_code == 404
    assert await version_of(database, member_id) == 2


async def test_linking_again_answers_the_same_and_publishes_once(
    client: httpx2.AsyncClient, database: Database
) -> None:
    member_id = await enrolled(client, "ada")
    first = await link(client, member_id, CARD)
    again = await link(client, member_id, {"type": "card", "value": "900123456789"})
    assert (again.status_code, again.content) == (201, first.content)
    linked = [row for row in await recorded_events(database, MEMBERS) if isinstance(row.event, IdentifierLinked)]
    assert [(row.key, row.event.data.version) for row in linked] == [(member_id, 1)]
    assert await version_of(database, member_id) == 2


async def test_another_members_identifier_is_refused_without_a_name(
    client: httpx2.AsyncClient, database: Database
) -> None:
    holder, other = await enrolled(client, "ada"), await enrolled(client, "ben")
    await link(client, holder, CARD)
    refused = await link(client, other, CARD)
    assert refused.status_code == 409
    assert refused.json()["type"].endswith("identifier-taken")
    assert holder not in refused.text
    assert "ada" not in refused.text
    assert await version_of(database, other) == 1


async def test_a_member_that_is_not_there_gets_no_identifier(client: httpx2.AsyncClient, database: Database) -> None:
    assert (await link(client, str(uuid4()), CARD)).status_code == 404
    assert (await resolve(client, CARD)).status_code == 404
    assert await recorded_events(database, MEMBERS) == []


async def test_of_concurrent_links_of_one_identifier_exactly_one_wins(
    client: httpx2.AsyncClient, database: Database
) -> None:
    members = [await enrolled(client, f"member{number}") for number in range(6)]
    answers = await asyncio.gather(*(link(client, member_id, CARD) for member_id in members))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]
    winner = next(answer.json()["member_id"] for answer in answers if answer.status_code == 201)
    assert (await resolve(client, CARD)).json() == {"member_id": winner}
    linked = [row for row in await recorded_events(database, MEMBERS) if isinstance(row.event, IdentifierLinked)]
    assert [row.key for row in linked] == [winner]


async def test_concurrent_links_to_one_member_are_all_counted_after_its_enrolment(
    client: httpx2.AsyncClient, database: Database
) -> None:
    member_id = await enrolled(client, "ada")
    cards = [{"type": "card", "value": f"{number:012}"} for number in range(10)]
    answers = await asyncio.gather(*(link(client, member_id, card) for card in cards))
    assert {answer.status_code for answer in answers} == {201}
    assert await version_of(database, member_id) == 11
    read = await client.get(f"/v1/members/{member_id}", headers=bearing())
    assert len(read.json()["identifiers"]) == 10
    recorded = await recorded_events(database, MEMBERS)
    assert [row.event.type for row in recorded] == ["loyalty.member.enrolled.v1"] + [
        "loyalty.identifier.linked.v1"
    ] * 10


async def test_a_refusal_is_an_answer_that_a_retry_gets_again(client: httpx2.AsyncClient) -> None:
    await link(client, await enrolled(client, "ada"), CARD)
    headers, url = bearing(), f"/v1/members/{await enrolled(client, 'ben')}/identifiers"
    first = await client.post(url, json=CARD, headers=headers)
    again = await client.post(url, json=CARD, headers=headers)
    assert (first.status_code, again.status_code) == (409, 409)
    assert again.headers["Idempotency-Replayed"] == "true"


ROUTES: tuple[tuple[str, str, str, object], ...] = (
    ("POST", "/v1/members", "members:write", {}),
    ("POST", f"/v1/members/{uuid4()}/identifiers", "members:write", CARD),
    ("POST", "/v1/identifiers:resolve", "members:read", CARD),
    ("GET", f"/v1/members/{uuid4()}", "members:read", None),
    ("GET", f"/v1/members/{uuid4()}/contact", "members:contact", None),
    ("GET", f"/v1/members/{uuid4()}/name", "members:name", None),
)


async def test_every_route_needs_a_token_with_its_scope(client: httpx2.AsyncClient) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    wrong = {"Authorization": "Bearer tk_" + "A" * 43}
    for method, path, scope, body in ROUTES:
        assert (await client.request(method, path, json=body, headers=key)).status_code == 401
        assert (await client.request(method, path, json=body, headers=key | wrong)).status_code == 401
        refused = await client.request(method, path, json=body, headers=bearing("receipts:write"))
        assert (refused.status_code, refused.json()["scope"]) == (403, scope)


async def test_a_member_that_is_not_there_is_not_found(client: httpx2.AsyncClient) -> None:
    assert (await client.get(f"/v1/members/{uuid4()}", headers=bearing())).status_code == 404
    assert (await client.get(f"/v1/members/{uuid4()}/contact", headers=bearing())).status_code == 404
    assert (await client.get(f"/v1/members/{uuid4()}/name", headers=bearing())).status_code == 404
    assert (await client.get("/v1/members/somebody", headers=bearing())).status_code == 422
