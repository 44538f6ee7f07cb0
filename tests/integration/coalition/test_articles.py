"""What a partner sells, over HTTP: stated one by one, in batches and by file; it moves only where it differs."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from services.coalition.use_cases import import_articles
from shared.database import Database
from shared.events.catalogue import COALITION
from shared.events.goods import ArticleChanged, PriceFloorChanged, ProductMapped
from tests.support.outbox_rows import recorded_events
from tests.support.registries import bearing

ARTICLES = "/v1/partners/acme/articles"
IMPORTS = "/v1/partners/acme/article-imports"
HEADER = "sku;gtin;brand;category;is_excluded;price_floor_minor\n"
Client = httpx2.AsyncClient


@pytest.fixture(autouse=True)
async def partner(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_articles, "PAGE_RECORDS", 10)
    for partner_id in ("acme", "bolt"):
        body = {"partner_id": partner_id, "name": partner_id}
        assert (await client.post("/v1/partners", json=body, headers=bearing())).status_code == 201


async def state(client: Client, sku: str, author: str = "programme", **said: Any) -> httpx2.Response:
    return await client.put(f"{ARTICLES}/{sku}", json=said, headers=bearing("partners:write", client_id=author))


async def batch(client: Client, *articles: dict[str, Any]) -> httpx2.Response:
    return await client.post(f"{ARTICLES}:batch", json={"articles": articles}, headers=bearing("partners:write"))


async def listed(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "20"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(ARTICLES, params=query, headers=bearing("partners:read"))).json()
        found += page["items"]
        cursor = page["next_cursor"]
    return found


async def acts(client: Client, author: str) -> list[tuple[str, str, Any, Any]]:
    log = (await client.get("/v1/audit-log", params={"author": author, "limit": "100"}, headers=bearing())).json()[
        "items"
    ]
    entries = [entry for entry in log if entry["action"].startswith("article.")]
    return [(entry["action"], entry["subject"], entry["before"], entry["after"]) for entry in reversed(entries)]


async def declared(client: Client, **claims: str) -> str:
    answer = await client.post(IMPORTS, json={}, headers=bearing(**claims))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["import_id"])


async def sent(client: Client, import_id: str, content: str | AsyncIterator[bytes], **claims: str) -> httpx2.Response:
    headers = bearing(**claims) | {"Content-Type": "text/csv; charset=utf-8"}
    return await client.put(f"{IMPORTS}/{import_id}/content", content=content, headers=headers)


def record(number: int, **said: str) -> str:
    fields = {"sku": f"a{number:03d}", "gtin": "", "brand": "", "category": "", "is_excluded": "", "price": ""}
    return ";".join((fields | said).values()) + "\n"


async def test_an_article_moves_only_where_something_is_different(client: Client) -> None:
    said = {
        "gtin": "4006381333931",
        "brand": "Stabilo",
        "category": "PENS",
        "is_excluded": True,
        "price_floor_minor": 99,
    }
    first = await state(client, "pen-1", "pen-keeper", **said)
    again = await state(client, "pen-1", "pen-keeper", **said)
    changed = await state(client, "pen-1", "pen-keeper", **(said | {"brand": None}))
    assert (first.status_code, first.json()) == (200, said | {"sku": "pen-1", "version": 1})
    assert again.json() == first.json()
    assert (changed.json()["brand"], changed.json()["version"]) == (None, 2)
    read = await client.get(f"{ARTICLES}/pen-1", headers=bearing("partners:read"))
    assert (read.json(), read.headers["etag"]) == (changed.json(), '"2"')
    assert [(action, subject) for action, subject, _, _ in await acts(client, "pen-keeper")] == [
        ("article.registered", "acme/pen-1"),
        ("article.changed", "acme/pen-1"),
    ]
    assert (await acts(client, "pen-keeper"))[1][2]["brand"] == "Stabilo"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"gtin": "4006381333932"}, "/gtin"),  # the check digit
        ({"gtin": "40063813"}, "/gtin"),
        ({"price_floor_minor": -1}, "/price_floor_minor"),
        ({"is_excluded": 0}, "/is_excluded"),
        ({"category": " "}, "/category"),
        ({"colour": "red"}, "/colour"),
    ],
)
async def test_what_cannot_be_is_refused_by_field(client: Client, said: dict[str, Any], field: str) -> None:
    answer = await state(client, "pen-1", **said)
    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [field])


async def test_a_batch_tells_what_became_of_each_article(client: Client) -> None:
    await batch(client, {"sku": "a"}, {"sku": "b"})
    answer = await batch(client, {"sku": "c"}, {"sku": "b", "brand": "B"}, {"sku": "a"})
    assert answer.status_code == 200, answer.text
    assert [(one["sku"], one["outcome"], one["version"]) for one in answer.json()["articles"]] == [
        ("c", "registered", 1),
        ("b", "changed", 2),
        ("a", "unchanged", 1),
    ]
    assert (await batch(client, {"sku": "a"}, {"sku": "a"})).status_code == 422
    assert [article["sku"] for article in await listed(client)] == ["a", "b", "c"]


async def test_articles_that_are_stated_at_once_are_counted_one_after_the_other(client: Client) -> None:
    await asyncio.gather(*(batch(client, {"sku": "a", "brand": f"{n}"}, {"sku": "b"}) for n in range(6)))
    assert [article["version"] for article in await listed(client)] == [6, 1]


async def test_a_file_states_articles_and_names_each_refused_record(client: Client) -> None:
    await state(client, "a001", brand="Old")
    content = HEADER + "".join(
        (
            record(1, brand="New"),
            record(2, gtin="96385074", is_excluded="TRUE", price="120"),
            record(3, gtin="96385075"),
            record(4, is_excluded="perhaps"),
            record(5, price="1.20"),
            "too;few\n",
            record(7, sku="spaces are none"),
            record(8, sku=""),
            record(2, brand="Later"),
        )
    )
    import_id = await declared(client)
    answer = await sent(client, import_id, content)
    assert answer.status_code == 200, answer.text
    told = {name: answer.json()[name] for name in ("state", "records_taken", "written", "refused")}
    assert told == {"state": "finished", "records_taken": 9, "written": 2, "refused": 6}
    refusals = await client.get(f"{IMPORTS}/{import_id}/refusals", headers=bearing("partners:read"))
    assert [(one["line"], one["reason"], one["column"]) for one in refusals.json()["items"]] == [
        (4, "gtin", "gtin"),
        (5, "bool_type", "is_excluded"),
        (6, "int_type", "price_floor_minor"),
        (7, "wrong_number_of_fields", None),
        (8, "string_pattern_mismatch", "sku"),
        (9, "missing", "sku"),
    ]
    assert [(one["sku"], one["brand"], one["is_excluded"], one["version"]) for one in await listed(client)] == [
        ("a001", "New", False, 2),
        ("a002", "Later", False, 1),
    ]


async def test_a_file_that_broke_off_goes_on_where_it_stopped_and_sent_anew_changes_nothing(client: Client) -> None:
    records = [record(number) for number in range(35)]

    async def breaking_off() -> AsyncIterator[bytes]:
        yield (HEADER + "".join(records[:25])).encode()
        raise ConnectionResetError("the cable was pulled")

    import_id = await declared(client)
    assert (await sent(client, import_id, breaking_off(), client_id="nightly")).is_server_error
    stopped = await client.get(f"{IMPORTS}/{import_id}", headers=bearing("partners:read"))
    assert (stopped.json()["state"], stopped.json()["records_taken"]) == ("open", 20)
    whole = await sent(client, import_id, HEADER + "".join(records), client_id="nightly")
    assert (whole.json()["state"], whole.json()["written"]) == ("finished", 35)
    assert (await sent(client, import_id, HEADER + "".join(records))).json() == whole.json()
    longer = await sent(client, import_id, HEADER + "".join(records) + record(35))
    assert (longer.status_code, longer.json()["type"].rpartition("/")[2]) == (409, "another-file")
    tomorrow = await sent(client, await declared(client), HEADER + "".join(records), client_id="nightly")
    assert (tomorrow.json()["records_taken"], tomorrow.json()["written"]) == (35, 0)
    assert {article["version"] for article in await listed(client)} == {1}
    assert len(await acts(client, "nightly")) == 35


async def test_two_who_send_one_file_state_everything_once(client: Client) -> None:
    import_id = await declared(client)
    content = HEADER + "".join(record(number) for number in range(40))
    answers = await asyncio.gather(sent(client, import_id, content), sent(client, import_id, content))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert (await sent(client, import_id, content)).json()["written"] == 40
    assert len(await listed(client)) == 40


async def test_an_import_that_another_sender_finished_meanwhile_stays_finished(client: Client) -> None:
    import_id = await declared(client)
    page = HEADER + "".join(record(number) for number in range(10))

    async def breaking_off() -> AsyncIterator[bytes]:
        yield page.encode()
        raise ConnectionResetError("the cable was pulled")

    async def outrun() -> AsyncIterator[bytes]:
        yield page.encode()
        assert (await sent(client, import_id, page)).json()["state"] == "finished"  # with a last page of no record
        yield record(10).encode()

    assert (await sent(client, import_id, breaking_off())).is_server_error
    late = await sent(client, import_id, outrun())

    assert (late.status_code, late.json()["type"].rpartition("/")[2]) == (409, "import-busy")
    stands = await client.get(f"{IMPORTS}/{import_id}", headers=bearing("partners:read"))
    assert (stands.json()["state"], stands.json()["records_taken"]) == ("finished", 10)
    assert len(await listed(client)) == 10


async def test_a_partners_articles_and_imports_are_not_there_for_another(client: Client) -> None:
    await state(client, "a")
    import_id = await declared(client)
    stranger = bearing("partners:read", "partners:write", client_id="b", partner_id="bolt")
    for path in (f"{ARTICLES}/a", ARTICLES, f"{IMPORTS}/{import_id}"):
        assert (await client.get(path, headers=stranger)).status_code == 404, path
    elsewhere = f"/v1/partners/bolt/article-imports/{import_id}"
    assert (await client.get(elsewhere, headers=stranger)).status_code == 404
    content = await client.put(f"{elsewhere}/content", content=HEADER, headers=stranger | {"Content-Type": "text/csv"})
    assert content.status_code == 404
    own = await client.put(
        f"{ARTICLES}/a", json={"brand": "Own"}, headers=bearing("partners:write", client_id="hq", partner_id="acme")
    )
    assert own.status_code == 200


async def test_what_is_excluded_is_told_a_minute_before_and_numbered_with_the_mappings(
    client: Client, database: Database
) -> None:
    assert (
        await client.post("/v1/categories", json={"category_id": "fuel", "name": "F"}, headers=bearing())
    ).is_success
    await state(client, "never")
    await batch(client, {"sku": "beer", "is_excluded": True}, {"sku": "bread"}, {"sku": "wine", "is_excluded": True})
    mapping = {"mappings": [{"partner_category": "X", "category_id": "fuel"}], "reason_code": "x"}
    assert (await client.post("/v1/partners/acme/category-mappings", json=mapping, headers=bearing())).is_success
    await state(client, "beer", is_excluded=True, brand="B")  # says nothing new of earning
    await sent(client, await declared(client), "sku,is_excluded\nbeer,false\nrum,true\n")

    events = [row.event for row in await recorded_events(database, COALITION)]
    told = [event for event in events if isinstance(event, ArticleChanged | ProductMapped)]
    assert [event.data.version for event in told] == [1, 2, 3, 4, 5]
    articles = [event for event in told if isinstance(event, ArticleChanged)]
    assert [(event.data.sku, event.data.is_excluded) for event in articles] == [
        ("beer", True),
        ("wine", True),
        ("beer", False),
        ("rum", True),
    ]
    assert {event.data.in_force_from - event.time for event in articles} == {timedelta(seconds=60)}


async def test_a_partner_cannot_fill_the_memory_of_those_who_judge_receipts(
    client: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.coalition.domain.articles.EXCLUSIONS_LAST_MAX", 2)
    assert (await batch(client, {"sku": "a", "is_excluded": True}, {"sku": "b", "is_excluded": True})).is_success
    refused = await state(client, "c", is_excluded=True)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "too-many-exclusions")
    assert (await state(client, "a", is_excluded=True, brand="Still changed")).status_code == 200
    assert (
        len([row for row in await recorded_events(database, COALITION) if isinstance(row.event, ArticleChanged)]) == 2
    )


async def test_a_floor_is_told_when_it_changes_and_of_articles_without_one_nothing_is(
    client: Client, database: Database
) -> None:
    await batch(client, {"sku": "book", "price_floor_minor": 900}, {"sku": "bread"}, {"sku": "salt"})
    await state(client, "book", price_floor_minor=900, brand="Another")
    await batch(client, {"sku": "book", "price_floor_minor": 950}, {"sku": "salt", "price_floor_minor": 0})
    await sent(client, await declared(client), HEADER + record(1, price="120") + record(2) + record(3, price="0"))
    await sent(client, await declared(client), "sku\nbook\n")
    await state(client, "book", brand="Without")

    recorded = await recorded_events(database, COALITION)
    told = [row.event for row in recorded if isinstance(row.event, PriceFloorChanged)]
    assert [row.key for row in recorded if row.event in told] == [event.subject for event in told]
    assert [(event.data.sku, event.data.version, event.data.floor_minor) for event in told] == [
        ("book", 1, 900),
        ("book", 3, 950),
        ("a001", 1, 120),
        ("book", 4, None),
    ]
    assert {row.event.type for row in recorded} == {"loyalty.partner.changed.v1", "loyalty.price_floor.changed.v1"}
