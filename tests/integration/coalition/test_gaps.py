"""The gap report on play data from which receipts were removed on purpose, and shift closes beside what arrived."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import httpx2
import pytest

from services.coalition.consumer import PurchaseHandler
from services.coalition.repository import unknown_articles
from shared.database import Database
from shared.events.catalogue import PURCHASES
from shared.events.purchases import (
    CorrectionData,
    PurchaseData,
    PurchaseEvent,
    PurchaseLine,
    PurchaseRecorded,
    ReceiptCorrected,
    ReturnData,
    ReturnLine,
    ReturnRecorded,
)
from shared.ids import new_id
from shared.kafka import Batch, PermanentError, ReadPosition, Record
from shared.receipt_key import DocumentKey, SequenceKey, encode_receipt_key, receipt_id_of
from tests.support.registries import bearing
from tests.support.until import until

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
DAY = date(2026, 11, 1)
GAPS = "/v1/partners/acme/gaps?from=2026-11-01&to=2026-11-30"
CLOSES = "/v1/partners/acme/stores/s1/tills/t1/shift-closes"
CLOSE = {"business_date": "2026-11-01", "shift": 1, "count": 10, "total_minor": 1000, "last_number": 10}


@pytest.fixture(autouse=True)
async def acme(client: httpx2.AsyncClient) -> None:
    """A partner with two tills."""
    for path, body in (
        ("/v1/partners", {"partner_id": "acme", "name": "Acme"}),
        ("/v1/partners/acme/stores", {"store_id": "s1", "name": "One", "time_zone": "America/New_York"}),
        ("/v1/partners/acme/stores/s1/tills", {"till_id": "t1", "key_scheme": "sequence"}),
        ("/v1/partners/acme/stores/s1/tills", {"till_id": "t2", "key_scheme": "sequence"}),
    ):
        assert (await client.post(path, json=body, headers=bearing())).status_code == 201


def receipt(
    number: int,
    total_minor: int = 100,
    *,
    till_id: str = "t1",
    shift: int = 1,
    is_return: bool = False,
    is_training: bool = False,
    key: DocumentKey | None = None,
    category: str | None = None,
    sku: str = "a",
) -> PurchaseEvent:
    sequence = SequenceKey(
        scheme="sequence", store_id="s1", till_id=till_id, business_date=DAY, shift=shift, number=number
    )
    receipt_id = receipt_id_of(encode_receipt_key("acme", key or sequence))
    data: dict[str, Any] = {
        "receipt_id": receipt_id,
        "content_hash": f"{number:064x}",
        "partner_id": "acme",
        "store_id": "s1",
        "till_id": till_id,
        "occurred_at": NOON,
        "received_at": NOON,
        "currency": "USD",
        "total_minor": total_minor,
        "is_training": is_training,
        "lines": (_line(total_minor, category, sku, is_return=is_return),),
    }
    envelope: dict[str, Any] = {"id": new_id(), "source": "test", "subject": receipt_id, "time": NOON}
    if is_return:
        return ReturnRecorded(**envelope, data=ReturnData(**data))
    return PurchaseRecorded(**envelope, data=PurchaseData(**data))


def _line(amount_minor: int, category: str | None, sku: str, *, is_return: bool) -> PurchaseLine:
    line = PurchaseLine(line_id=1, sku=sku, category=category, quantity_thousandths=1000, amount_minor=amount_minor)
    return ReturnLine(**line.model_dump(), original_line_id=1) if is_return else line


async def arrive(database: Database, events: Sequence[PurchaseEvent], offset: int = 0) -> None:
    """One batch, as the consumer hands it over."""
    records: tuple[Record[PurchaseEvent], ...] = tuple(
        Record(event, PURCHASES.topic, 0, offset + place, None, event.to_bytes(), {})
        for place, event in enumerate(events)
    )
    position = ReadPosition(PURCHASES.topic, 0, offset + len(records), None)
    await PurchaseHandler(database).handle(Batch(records, (position,)))


async def gaps(client: httpx2.AsyncClient, query: str = "", **who: Any) -> list[dict[str, Any]]:
    answer = await client.get(GAPS + query, headers=bearing("receipts:read", **who))
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def runs(gap: dict[str, Any]) -> list[tuple[int, int]]:
    return [(run["first"], run["last"]) for run in gap["missing"]]


async def test_removed_receipts_are_named_however_the_others_come(
    client: httpx2.AsyncClient, database: Database
) -> None:
    removed = {("t1", 1): {7, 8, 30}, ("t2", 3): {2}}
    play = [
        receipt(number, till_id=till_id, shift=shift)
        for till_id, shift in (("t1", 1), ("t1", 2), ("t2", 3))
        for number in range(1, 41)
        if number not in removed.get((till_id, shift), set())
    ]
    shuffled = random.Random(4).sample(play, len(play))
    for start in range(0, len(shuffled), 17):
        await arrive(database, shuffled[start : start + 17], start)
    await arrive(database, shuffled[20:60], 500)  # and a part of it again

    found = await gaps(client)

    assert [(gap["till_id"], gap["shift"], runs(gap), gap["missing_count"]) for gap in found] == [
        ("t1", 1, [(7, 8), (30, 30)], 3),
        ("t2", 3, [(2, 2)], 1),
    ]
    assert [gap["received_count"] for gap in found] == [37, 39]


async def test_late_arrivals_close_gaps_one_by_one(client: httpx2.AsyncClient, database: Database) -> None:
    await arrive(database, [receipt(number) for number in (1, 2, 6)])
    assert [runs(gap) for gap in await gaps(client)] == [[(3, 5)]]
    await arrive(database, [receipt(4)], 3)
    assert [runs(gap) for gap in await gaps(client)] == [[(3, 3), (5, 5)]]
    await arrive(database, [receipt(5), receipt(3), receipt(3)], 4)
    assert await gaps(client) == []


async def test_a_shifts_close_names_what_never_came_at_its_ends_too(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await arrive(database, [receipt(number) for number in (2, 3, 4)])
    assert await gaps(client) == []  # nobody knows yet that there was a first or a fifth

    closed = await client.post(CLOSES, json=CLOSE | {"count": 5, "last_number": 5}, headers=bearing())

    assert closed.status_code == 200, closed.text
    assert closed.json()["differences"] == ["count", "total_minor", "last_number", "missing_numbers"]
    assert [runs(gap) for gap in await gaps(client)] == [[(1, 1), (5, 5)]]


async def test_a_close_may_come_before_its_receipts_and_agrees_once_they_are_there(
    client: httpx2.AsyncClient, database: Database
) -> None:
    stated = CLOSE | {"count": 4, "total_minor": 270, "last_number": 5}
    early = await client.post(CLOSES, json=stated, headers=bearing())
    assert (early.status_code, early.json()["received_count"], early.json()["missing_count"]) == (200, 0, 4)

    await arrive(
        database,
        [receipt(1), receipt(2), receipt(3), receipt(4, 30, is_return=True), receipt(5, 999, is_training=True)],
    )

    listed = await client.get(CLOSES_LISTED, headers=bearing("receipts:read"))
    (item,) = listed.json()["items"]
    assert (item["differences"], item["received_count"], item["received_total_minor"]) == ([], 4, 270)


CLOSES_LISTED = "/v1/partners/acme/shift-closes?from=2026-11-01&to=2026-11-01"


async def test_a_correction_fills_its_number_and_sells_nothing(client: httpx2.AsyncClient, database: Database) -> None:
    sold, wrong = receipt(1, 1000), receipt(2, 700)
    said = wrong.data.model_dump() | {"original_receipt_id": sold.data.receipt_id, "original_total_minor": 1000}
    envelope = wrong.model_dump(exclude={"type", "data"})
    await arrive(database, [ReceiptCorrected(**envelope, data=CorrectionData.model_validate(said)), sold])

    stated = CLOSE | {"count": 2, "total_minor": 1000, "last_number": 2}
    closed = await client.post(CLOSES, json=stated, headers=bearing())

    assert closed.json()["differences"] == [], closed.text


async def test_the_same_close_again_changes_nothing_and_another_is_refused(client: httpx2.AsyncClient) -> None:
    answers = await asyncio.gather(*(client.post(CLOSES, json=CLOSE, headers=bearing()) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    refused = await client.post(CLOSES, json=CLOSE | {"total_minor": 1}, headers=bearing())
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "shift-closed-otherwise")
    for body in ({"last_number": None}, {"first_number": 11}, {"count": -1}, {"shift": True}):
        assert (await client.post(CLOSES, json=CLOSE | body, headers=bearing())).status_code == 422
    unknown = CLOSES.replace("t1", "t9")
    assert (await client.post(unknown, json=CLOSE, headers=bearing())).status_code == 404


async def test_the_list_comes_in_pages_and_for_its_own_partner_alone(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await arrive(database, [receipt(number, till_id=till) for till in ("t1", "t2") for number in (1, 3)])
    first = (await client.get(f"{GAPS}&limit=1", headers=bearing("receipts:read"))).json()
    assert [gap["till_id"] for gap in first["items"]] == ["t1"]
    assert [gap["till_id"] for gap in await gaps(client, f"&limit=1&cursor={first['next_cursor']}")] == ["t2"]
    strange = bearing("receipts:read", client_id="b", partner_id="bolt")
    assert (await client.get(GAPS, headers=strange)).status_code == 404
    for period, status in (
        ("from=2026-11-02&to=2026-11-01", 422),
        ("from=2026-01-01&to=2026-12-31", 422),
        ("from=9999-12-31&to=9999-12-31", 200),
        ("to=0001-01-01", 200),
        ("", 200),
    ):
        asked = await client.get(f"/v1/partners/acme/gaps?{period}", headers=bearing("receipts:read"))
        assert asked.status_code == status, period


async def test_what_is_numbered_otherwise_is_passed_over_and_what_names_no_receipt_is_put_aside(
    client: httpx2.AsyncClient, database: Database
) -> None:
    order = DocumentKey(scheme="document", source="orders", number="7")
    greatest = receipt(2**63 - 1)
    await arrive(database, [receipt(1, key=order), greatest])
    assert await gaps(client) == []
    broken = receipt(1)
    broken = broken.model_copy(update={"data": broken.data.model_copy(update={"receipt_id": "YQ"})})
    with pytest.raises(PermanentError):
        await arrive(database, [broken])


async def test_batches_that_meet_in_a_shift_count_every_receipt_once(
    client: httpx2.AsyncClient, database: Database
) -> None:
    batches = [[receipt(number) for number in range(start, 60, 3)] for start in (1, 2, 3, 1)]
    await asyncio.gather(*(arrive(database, batch, 100 * place) for place, batch in enumerate(batches)))

    async def counted() -> int:
        async with database.transaction() as transaction:
            return int(await transaction.raw.fetchval("select documents from till_shifts"))

    assert await until(counted) == 59
    assert await gaps(client) == []


async def test_unmapped_categories_are_listed_by_what_they_sold(client: httpx2.AsyncClient, database: Database) -> None:
    play = [
        receipt(1, 300, category="OBST"),
        receipt(2, 500, category="TABAK"),
        receipt(3, 400, category="OBST"),
        receipt(4, 350, category="OBST", is_return=True),
        receipt(5, 9_000, category="OBST", is_training=True),
        receipt(6, 800, category="TANKEN"),
        receipt(7, 100),
    ]
    await arrive(database, play)
    await arrive(database, play[::-1], 10)  # nothing counts twice
    fuel = {"category_id": "fuel", "name": "Fuel"}
    assert (await client.post("/v1/categories", json=fuel, headers=bearing())).status_code == 201
    mapping = {"mappings": [{"partner_category": "TANKEN", "category_id": "fuel"}], "reason_code": "x"}
    mapped = await client.post("/v1/partners/acme/category-mappings", json=mapping, headers=bearing())
    assert mapped.status_code == 201

    listed = await client.get("/v1/partners/acme/unmapped-categories", headers=bearing("partners:read"))

    assert [
        (item["partner_category"], item["lines"], item["amount_minor"]) for item in listed.json()["categories"]
    ] == [("TABAK", 1, 500), ("OBST", 3, 350)]


async def test_numbers_that_no_article_has_are_listed_by_what_they_sold(
    client: httpx2.AsyncClient, database: Database
) -> None:
    play = [
        receipt(1, 300, sku="a"),
        receipt(2, 500, sku="b"),
        receipt(3, 400, sku="a"),
        receipt(4, 350, sku="a", is_return=True),
        receipt(5, 9_000, sku="a", is_training=True),
        receipt(6, 800, sku="known"),
    ]

    async def listed() -> list[tuple[str, int, int]]:
        answer = await client.get("/v1/partners/acme/unmapped-articles", headers=bearing("partners:read"))
        return [(item["sku"], item["lines"], item["amount_minor"]) for item in answer.json()["articles"]]

    async def state(sku: str) -> None:
        assert (await client.put(f"/v1/partners/acme/articles/{sku}", json={}, headers=bearing())).status_code == 200

    await state("known")
    await arrive(database, play)
    await arrive(database, play[::-1], 10)  # nothing counts twice
    assert await listed() == [("b", 1, 500), ("a", 3, 350)]
    await state("b")
    assert await listed() == [("a", 3, 350)]


async def test_the_list_of_unknown_numbers_is_bounded(
    client: httpx2.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded = unknown_articles.ADD_SALES.replace(str(unknown_articles.UNKNOWN_ARTICLES_MAX), "3")
    monkeypatch.setattr(unknown_articles, "ADD_SALES", bounded)

    async def listed() -> list[tuple[str, int]]:
        answer = await client.get("/v1/partners/acme/unmapped-articles", headers=bearing("partners:read"))
        return [(item["sku"], item["amount_minor"]) for item in answer.json()["articles"]]

    await arrive(database, [receipt(1, 100, sku="a"), receipt(2, 200, sku="b")])
    await arrive(database, [receipt(3, 10, sku="c"), receipt(4, 20, sku="d"), receipt(5, 30, sku="a")], 10)
    assert await listed() == [("b", 200), ("a", 130), ("d", 20)]
    await client.put("/v1/partners/acme/articles/b", json={}, headers=bearing())
    await arrive(database, [receipt(6, 15, sku="c")], 20)
    assert await listed() == [("a", 130), ("d", 20), ("c", 15)]
