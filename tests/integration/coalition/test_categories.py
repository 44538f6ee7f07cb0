"""The programme's tree and partners' mappings over HTTP."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from shared.database import Database
from shared.events.catalogue import COALITION
from shared.events.goods import ProductMapped
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing

MAPPINGS = "/v1/partners/acme/category-mappings"


@pytest.fixture(autouse=True)
async def tree(client: httpx2.AsyncClient) -> None:
    """A partner, and a small tree."""
    body = {"partner_id": "acme", "name": "Acme"}
    assert (await client.post("/v1/partners", json=body, headers=bearing())).status_code == 201
    for category_id, parent_id in (("food", None), ("fresh", "food"), ("fruit", "fresh"), ("fuel", None)):
        category = {"category_id": category_id, "name": category_id.title(), "parent_id": parent_id}
        assert (await client.post("/v1/categories", json=category, headers=bearing())).status_code == 201


async def declare(client: httpx2.AsyncClient, mappings: dict[str, str | None], **more: Any) -> httpx2.Response:
    body = {
        "mappings": [{"partner_category": name, "category_id": category} for name, category in mappings.items()],
        "reason_code": "onboarding",
    }
    return await client.post(MAPPINGS, json=body | more, headers=bearing())


async def published(database: Database) -> list[ProductMapped]:
    events = [row.event for row in await recorded_events(database, COALITION)]
    return [event for event in events if isinstance(event, ProductMapped)]


async def test_the_tree_tells_the_way_down_to_each_category(client: httpx2.AsyncClient) -> None:
    listed = (await client.get("/v1/categories", headers=bearing("partners:read"))).json()["items"]
    assert [item["category_id"] for item in listed] == ["food", "fresh", "fruit", "fuel"]
    assert listed[2]["path"] == ["food", "fresh", "fruit"]


async def test_a_mapping_is_published_with_its_path_a_minute_before_it_counts(
    client: httpx2.AsyncClient, database: Database
) -> None:
    answer = await declare(client, {"OBST & GEMÜSE": "fruit", "TANKEN": "fuel"})
    assert answer.status_code == 201, answer.text
    assert [mapping["version"] for mapping in answer.json()["mappings"]] == [1, 2]
    again = await declare(client, {"TANKEN": None})
    assert again.json()["mappings"][0]["version"] == 3

    events = await published(database)
    assert [(event.data.version, event.data.partner_category, event.data.path) for event in events] == [
        (1, "OBST & GEMÜSE", ("food", "fresh", "fruit")),
        (2, "TANKEN", ("fuel",)),
        (3, "TANKEN", ()),
    ]
    assert {event.data.in_force_from - event.time for event in events} == {timedelta(seconds=60)}
    listed = (await client.get(MAPPINGS, headers=bearing("partners:read"))).json()["items"]
    assert [(item["partner_category"], item["category_id"]) for item in listed] == [
        ("OBST & GEMÜSE", "fruit"),
        ("TANKEN", None),
    ]


async def test_concurrent_mappings_are_numbered_without_a_hole(client: httpx2.AsyncClient, database: Database) -> None:
    answers = await asyncio.gather(*(declare(client, {f"C{number}": "food", "X": "fuel"}) for number in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert [event.data.version for event in await published(database)] == list(range(1, 11))


async def test_what_cannot_be_is_refused_by_name(client: httpx2.AsyncClient) -> None:
    async def refused(path: str, body: dict[str, Any]) -> tuple[int, str]:
        answer = await client.post(path, json=body, headers=bearing())
        return answer.status_code, answer.json()["type"].rpartition("/")[2]

    assert await refused("/v1/categories", {"category_id": "food", "name": "F"}) == (409, "category-exists")
    orphan = {"category_id": "x", "name": "X", "parent_id": "nowhere"}
    assert await refused("/v1/categories", orphan) == (422, "unknown-category")
    parent = "fruit"
    for depth in range(4, 9):
        deeper = {"category_id": f"d{depth}", "name": "D", "parent_id": parent}
        assert (await client.post("/v1/categories", json=deeper, headers=bearing())).status_code == 201
        parent = f"d{depth}"
    deepest = {"category_id": "d9", "name": "D", "parent_id": parent}
    assert await refused("/v1/categories", deepest) == (422, "tree-too-deep")
    for changes, slug in (
        ({"category_id": "nowhere"}, "unknown-category"),
        ({"partner_category": " "}, "invalid-request"),
    ):
        mapping = {"partner_category": "A", "category_id": "food"} | changes
        assert await refused(MAPPINGS, {"mappings": [mapping], "reason_code": "x"}) == (422, slug)
    early = await declare(client, {"A": "food"}, in_force_from="2020-01-01T00:00:00Z")
    assert (early.status_code, early.json()["type"].rpartition("/")[2]) == (422, "published-too-late")


async def test_partners_read_and_the_programme_writes(client: httpx2.AsyncClient) -> None:
    own = {"client_id": "acme-hq", "partner_id": "acme"}
    body = {"mappings": [{"partner_category": "A", "category_id": "food"}], "reason_code": "x"}
    assert (await client.post(MAPPINGS, json=body, headers=bearing("partners:write", **own))).status_code == 403
    category = {"category_id": "x", "name": "X"}
    refused = await client.post("/v1/categories", json=category, headers=bearing("partners:write", **own))
    assert refused.status_code == 403
    assert (await client.get(MAPPINGS, headers=bearing("partners:read", **own))).status_code == 200
    strange = bearing("partners:read", client_id="b", partner_id="bolt")
    assert (await client.get(MAPPINGS, headers=strange)).status_code == 404
