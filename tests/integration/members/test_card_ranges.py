"""Ranges of printed cards: which of them may become somebody's."""

import asyncio

import httpx2

from tests.support.enrolling import person
from tests.support.registries import bearing

RANGE = {"batch": "autumn", "prefix": "77", "first": "0000000", "last": "0999999"}  # a million cards


async def declare(client: httpx2.AsyncClient, **changes: object) -> httpx2.Response:
    return await client.post("/v1/card-ranges", json=RANGE | changes, headers=bearing())


async def change(client: httpx2.AsyncClient, range_id: str, what: str) -> httpx2.Response:
    body = {"reason_code": "delivered"}
    return await client.post(f"/v1/card-ranges/{range_id}:{what}", json=body, headers=bearing())


async def enrol(client: httpx2.AsyncClient, name: str, *cards: str) -> httpx2.Response:
    identifiers = [{"type": "card", "value": card} for card in cards]
    return await client.post("/v1/members", json=person(name, *identifiers), headers=bearing())


async def link(client: httpx2.AsyncClient, member_id: str, card: str) -> httpx2.Response:
    url = f"/v1/members/{member_id}/identifiers"
    return await client.post(url, json={"type": "card", "value": card}, headers=bearing())


def outcome(response: httpx2.Response) -> str:
    return "done" if response.is_success else str(response.json()["type"].rpartition("/")[2])


async def test_a_printed_card_is_linked_once_its_range_is_issued_and_never_after_it_was_withdrawn(
    client: httpx2.AsyncClient,
) -> None:
    range_id = (await declare(client)).json()["range_id"]
    ada = (await enrol(client, "ada")).json()["member_id"]
    assert outcome(await link(client, ada, "77 0123456")) == "card-not-issued"
    assert outcome(await enrol(client, "ben", "770123456")) == "card-not-issued"
    assert (await change(client, range_id, "issue")).json()["state"] == "issued"
    assert outcome(await link(client, ada, "77 0123456")) == "done"
    assert (await change(client, range_id, "withdraw")).json()["state"] == "withdrawn"
    assert outcome(await link(client, ada, "770123457")) == "card-not-issued"
    card = {"type": "card", "value": "770123456"}
    found = await client.post("/v1/identifiers:resolve", json=card, headers=bearing())
    assert found.json() == {"member_id": ada}
    replacing = {"old": {"identifier": card}, "new": card | {"value": "770123457"}, "reason_code": "worn"}
    url = f"/v1/members/{ada}/identifiers:replace"
    assert outcome(await client.post(url, json=replacing, headers=bearing())) == "card-not-issued"
    assert outcome(await change(client, range_id, "issue")) == "card-range-state"


async def test_cards_beside_a_range_and_of_one_that_allows_it_are_linked(client: httpx2.AsyncClient) -> None:
    await declare(client)
    await declare(client, prefix="78", links_before_issue=True, check_digit="luhn")
    ada = (await enrol(client, "ada")).json()["member_id"]
    for beside in ("771000000", "7700000000", "769999999", "AB1234567"):
        assert outcome(await link(client, ada, beside)) == "done"
    assert outcome(await link(client, ada, "780000006")) == "done"
    assert outcome(await link(client, ada, "780000008")) == "card-not-issued"  # its range wants check digits


async def test_ranges_do_not_overlap_however_they_are_declared(client: httpx2.AsyncClient) -> None:
    answers = await asyncio.gather(*(declare(client, batch=f"b{number}") for number in range(4)))
    assert sorted(outcome(answer) for answer in answers) == ["card-range-overlaps"] * 3 + ["done"]
    assert outcome(await declare(client, first="0999999", last="1999999")) == "card-range-overlaps"
    assert outcome(await declare(client, first="1000000", last="1999999")) == "done"
    assert outcome(await declare(client, first="2", last="30")) == "invalid-request"
    shown = await client.get("/v1/card-ranges", headers=bearing())
    assert [one["first_number"] for one in shown.json()["ranges"]] == ["770000000", "771000000"]


async def test_ranges_are_the_programmes_alone(client: httpx2.AsyncClient) -> None:
    refused = await client.post("/v1/card-ranges", json=RANGE, headers=bearing("members:write"))
    assert (refused.status_code, refused.json()["scope"]) == (403, "identifiers:write")
