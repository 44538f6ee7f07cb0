"""Check digits of cards that are linked, and virtual cards."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx2
import pytest
from stdnum import luhn

from shared.database import Database
from tests.support.enrolling import person
from tests.support.registries import bearing, members_client, members_settings

GOOD, BAD = "7992739 8713", "7992739 8714"


@pytest.fixture
async def strict(database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    async with members_client(database, members_settings(card_check_digit="luhn")) as client:
        yield client


async def enrol(client: httpx2.AsyncClient, name: str, *cards: str) -> httpx2.Response:
    identifiers = [{"type": "card", "value": card} for card in cards]
    return await client.post("/v1/members", json=person(name, *identifiers), headers=bearing())


async def virtual_card(client: httpx2.AsyncClient, member_id: str, **headers: str) -> httpx2.Response:
    return await client.post(f"/v1/members/{member_id}/virtual-cards", headers=bearing() | headers)


def faulty_field(response: httpx2.Response) -> str:
    assert response.status_code == 422, response.text
    return str(response.json()["errors"][0]["pointer"])


async def test_a_card_is_linked_with_its_check_digit_alone(strict: httpx2.AsyncClient) -> None:
    assert faulty_field(await enrol(strict, "ada", GOOD, BAD)) == "/identifiers/1/value"
    member_id = (await enrol(strict, "ada", GOOD)).json()["member_id"]
    link, card = f"/v1/members/{member_id}/identifiers", {"type": "card", "value": BAD}
    assert faulty_field(await strict.post(link, json=card, headers=bearing())) == "/value"
    body = {"old": {"identifier": {"type": "card", "value": GOOD}}, "new": card, "reason_code": "worn"}
    assert faulty_field(await strict.post(f"{link}:replace", json=body, headers=bearing())) == "/new/value"


async def test_a_card_from_before_is_found_and_blocked_as_ever(
    client: httpx2.AsyncClient, strict: httpx2.AsyncClient
) -> None:
    member_id = (await enrol(client, "ada", BAD)).json()["member_id"]
    card = {"type": "card", "value": BAD}
    found = await strict.post("/v1/identifiers:resolve", json=card, headers=bearing())
    assert found.json() == {"member_id": member_id}
    blocked = await strict.post(
        "/v1/identifiers:block", json={"identifier": card, "reason_code": "stolen"}, headers=bearing()
    )
    assert blocked.json()["state"] == "blocked"


async def test_a_virtual_card_is_in_use_at_once_and_shown_once(strict: httpx2.AsyncClient, database: Database) -> None:
    member_id = (await enrol(strict, "ada")).json()["member_id"]
    key = {"Idempotency-Key": uuid4().hex}
    issued, again = await virtual_card(strict, member_id, **key), await virtual_card(strict, member_id, **key)
    assert issued.status_code == 201, issued.text
    number = issued.json()["number"]
    assert again.json()["number"] == number
    assert (len(number), number[:2], luhn.is_valid(number)) == (19, "98", True)
    card = {"type": "card", "value": number}
    found = await strict.post("/v1/identifiers:resolve", json=card, headers=bearing())
    assert found.json() == {"member_id": member_id}
    other = await virtual_card(strict, member_id)
    assert other.json()["number"] != number
    async with database.transaction() as transaction:
        kept = [
            str(await transaction.raw.fetch(f"select * from {table}"))
            for table in ("identifiers", "identifier_changes", "idempotency", "outbox")
        ]
    assert not any(number in rows for rows in kept)


async def test_a_virtual_card_needs_a_member_and_the_programmes_own_client(strict: httpx2.AsyncClient) -> None:
    member_id = (await enrol(strict, "ada")).json()["member_id"]
    assert (await virtual_card(strict, str(uuid4()))).status_code == 404
    assert (await virtual_card(strict, member_id, **bearing("members:write"))).status_code == 403
