"""What a return or a void would take back: the same as it takes when it is posted then, in the same words."""

from collections.abc import AsyncIterator
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI

from shared.events.purchases import (
    ExchangeData,
    PurchaseEvent,
    PurchaseLine,
    PurchaseRecorded,
    ReturnData,
    ReturnLine,
    VoidData,
)
from shared.ids import IdentifierKey, IdentifierType, hash_identifier
from shared.ledger import SpendLate, post
from shared.receipt_key import natural_key_of
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.applications import application
from tests.support.databases import FreshDatabase
from tests.support.receipts import (
    enrolled,
    exchange_of,
    line,
    linked,
    member,
    merged_into,
    purchase,
    return_of,
    unlinked_return,
    void_of,
)
from tests.support.registries import IDENTIFIER_KEY, bearing
from tests.support.return_policies import CLIPPED, GOODS, OWED, REFUSED, VERSIONS

PLAIN = (line(1, 1_000, quantity_thousandths=2_000), line(2, 333, "PRODUCE"), line(3, 77))
CLIENT = bearing("receipts:write", "receipts:read", partner_id="grocer")
numbers = count(1)


@pytest.fixture(scope="module")
async def module_app(module_database: FreshDatabase) -> AsyncIterator[FastAPI]:
    """It reads cards as these tests do."""
    url = module_database.url("tessera_accrual")
    async with application("accrual", url, TESSERA_IDENTIFIER_KEY=IDENTIFIER_KEY) as app:
        yield app


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, *VERSIONS) as accrual:
        yield accrual


@pytest.fixture
async def anna(accrual: Accrual) -> UUID:
    return await joined(accrual)


async def bought_and_spent(accrual: Accrual, owner: UUID, lines: tuple[Any, ...], at: datetime) -> PurchaseRecorded:
    """Goods for 14.10, and nearly all the points that could be spent are gone."""
    sale = purchase(next(numbers), lines, owner=owner, occurred_at=at)
    await accrual.award(sale)
    async with accrual.database.transaction() as transaction:
        await post(transaction, [SpendLate(owner, "points", sale.data.receipt_id.encode(), 9, "fuel")])
    return sale


async def same_as_posted(
    accrual: Accrual, client: httpx2.AsyncClient, event: PurchaseEvent, card: str | None = None
) -> dict[str, Any]:
    """What is previewed of a document, which is then decided: it comes to the same."""
    body = body_of(event) | ({} if card is None else {"identifier": {"type": "card", "value": card}})
    asked = await client.post("/v1/receipts:preview", json=body, headers=CLIENT)
    assert asked.status_code == 200, asked.text
    told: dict[str, Any] = asked.json()
    await accrual.award(event)
    shown = (await client.get(f"/v1/receipts/{event.data.receipt_id}", headers=CLIENT)).json()
    assert told["status"] == shown["status"]
    if told["status"] != "awarded":
        refusal = shown["refusals"][0] if shown["refusals"] else {"reason": shown.get("waits_because")}
        assert {key: told[key] for key in ("reason", "detail") if key in refusal} == {
            key: refusal[key] for key in ("reason", "detail") if key in refusal
        }
        return told
    kind = "returned" if "returned" in told else "unlinked"
    said = dict(told[kind])
    del said["policy"]
    assert told.get("points") == (shown["award"]["points"] if "award" in shown else None)
    lines = said.pop("lines", None)
    assert said == {key: value for key, value in shown[kind].items() if key != "member_id"}
    assert (told["trace_in_words"], told.get("trace")) == (shown["trace_in_words"], shown.get("trace"))
    if lines is not None:
        assert sum(each["points"] for each in lines) == said["points"] + said["clipped"]
    return told


def body_of(event: PurchaseEvent) -> dict[str, Any]:
    """The till's document."""
    data = event.data
    body: dict[str, Any] = {
        "type": {ReturnData: "return", ExchangeData: "exchange"}.get(type(data), "void"),
        "key": key_of(data.receipt_id),
        "occurred_at": data.occurred_at.isoformat(),
        "currency": "USD",
        "total_minor": data.total_minor,
    }
    if isinstance(data, ReturnData | VoidData | ExchangeData) and data.original_receipt_id is not None:
        body["original"] = key_of(data.original_receipt_id)
    if isinstance(data, ReturnData | ExchangeData):
        body["lines"] = [line_of(row) for row in data.lines]
    if isinstance(data, ExchangeData):
        body["returned_lines"] = [line_of(row) for row in data.returned_lines]
    return body


def line_of(row: PurchaseLine) -> dict[str, Any]:
    """A line of it."""
    line = {
        "line_id": row.line_id,
        "sku": row.sku,
        "category": row.category,
        "quantity": str(row.quantity_thousandths / 1000),
        "amount_minor": row.amount_minor,
    }
    return line | ({"original_line_id": row.original_line_id} if isinstance(row, ReturnLine) else {})


def key_of(receipt_id: str) -> dict[str, Any]:
    """The key of a test's receipt: its number ends it."""
    number = int.from_bytes(natural_key_of(receipt_id)[-8:])
    shift = {"store_id": "s1", "till_id": "1", "business_date": "2026-11-01", "shift": 1}
    return {"scheme": "sequence", **shift, "number": number}


@pytest.mark.parametrize("at", [OWED, CLIPPED, REFUSED])
@pytest.mark.parametrize("lines", [PLAIN, GOODS], ids=["one_lot", "parts"])
async def test_what_is_previewed_is_what_is_taken(
    accrual: Accrual, client: httpx2.AsyncClient, anna: UUID, lines: tuple[Any, ...], at: datetime
) -> None:
    sale = await bought_and_spent(accrual, anna, lines, at)

    told = [
        await same_as_posted(accrual, client, event)
        for event in (
            return_of(sale, next(numbers), {1: 500, 2: 1_000}),
            return_of(sale, next(numbers), {1: 1_501}),
            return_of(sale, next(numbers), {4: 1}),
            return_of(sale, next(numbers), {1: 300}),
            void_of(sale, next(numbers), total_minor=5),
            void_of(sale, next(numbers)),
            void_of(sale, next(numbers)),
        )
    ]

    reasons = [each.get("reason") for each in told]
    assert (reasons[2], reasons[4]) == ("unknown_line", "other_total")
    assert ("points_spent" in reasons) == (at == REFUSED)
    assert ("returned_more_than_bought" in reasons, "original_voided" in reasons) == (at != REFUSED, at != REFUSED)
    policies = {each["returned"]["policy"] for each in told if "returned" in each}
    assert policies <= {{OWED: "debt", CLIPPED: "clip", REFUSED: "refuse"}[at]}


@pytest.mark.parametrize("at", [OWED, CLIPPED, REFUSED])
@pytest.mark.parametrize("lines", [PLAIN, GOODS], ids=["one_lot", "parts"])
async def test_both_sides_of_an_exchange_are_previewed_and_its_void(
    accrual: Accrual, client: httpx2.AsyncClient, anna: UUID, lines: tuple[Any, ...], at: datetime
) -> None:
    sale = await bought_and_spent(accrual, anna, lines, at)
    cheaper = exchange_of(sale, next(numbers), {2: 1_000, 3: 1_000}, (line(11, 150), line(12, 90, "MEAT")))
    dearer = exchange_of(sale, next(numbers), {1: 1_000}, (line(11, 1_900, "WINE"), line(12, 700)))

    told = [
        await same_as_posted(accrual, client, event)
        for event in (cheaper, dearer, return_of(dearer, next(numbers), {12: 500}), void_of(dearer, next(numbers)))
    ]

    assert {each["returned"]["cause"] for each in told if "returned" in each} <= {"exchange", "return", "void"}
    assert any("points" in each for each in told)
    assert at == REFUSED or told[3]["returned"]["given_back"] > 0


async def test_lines_say_what_each_takes_after_those_before_it(
    accrual: Accrual, client: httpx2.AsyncClient, anna: UUID
) -> None:
    sale = purchase(next(numbers), PLAIN, owner=anna, occurred_at=OWED)
    await accrual.award(sale)

    told = await same_as_posted(accrual, client, return_of(sale, next(numbers), {2: 1_000, 1: 1_000, 3: 1_000}))

    returned = told["returned"]
    assert (returned["cause"], returned["policy"], returned["became_debt"]) == ("return", "debt", 0)
    assert [(each["line_id"], each["original_line_id"]) for each in returned["lines"]] == [(1, 2), (2, 1), (3, 3)]
    assert sum(each["points"] for each in returned["lines"]) == returned["points"]


async def test_a_return_of_who_was_merged_away_takes_of_the_survivor(
    accrual: Accrual, client: httpx2.AsyncClient, anna: UUID
) -> None:
    old = member(next(numbers))
    await accrual.members(enrolled(old))
    sale = purchase(next(numbers), PLAIN, owner=old, occurred_at=CLIPPED)
    await accrual.award(sale)
    await accrual.members(merged_into(anna, old))

    told = await same_as_posted(accrual, client, return_of(sale, next(numbers), {1: 2_000}))

    assert (told["returned"]["points"], told["returned"]["clipped"]) == (10, 0)


async def test_what_undoes_nothing_waits_or_is_refused(
    accrual: Accrual, client: httpx2.AsyncClient, anna: UUID
) -> None:
    never_came = purchase(next(numbers), 500, owner=anna, occurred_at=OWED)

    for event in (return_of(never_came, next(numbers), {1: 100}), void_of(never_came, next(numbers))):
        told = await same_as_posted(accrual, client, event)
        assert (told["status"], told["reason"]) == ("parked", "purchase_not_decided_yet")


@pytest.mark.parametrize(("at", "state"), [(OWED, "taken_back"), (CLIPPED, "taken_back"), (REFUSED, "ignored")])
async def test_a_return_that_names_no_purchase_previews_by_the_rules_of_its_time(
    accrual: Accrual, client: httpx2.AsyncClient, anna: UUID, at: datetime, state: str
) -> None:
    card = f"{next(numbers):012d}"
    key = IdentifierKey(1, bytes.fromhex(IDENTIFIER_KEY))
    hashed = hash_identifier(IdentifierType.CARD, card, key)
    await accrual.members(linked(anna, hashed))
    await accrual.award(purchase(next(numbers), 200, owner=anna, occurred_at=at))
    goods = (line(1, 333, "PRODUCE"), line(2, 77))

    nobodys = await same_as_posted(accrual, client, unlinked_return(next(numbers), goods, occurred_at=at))
    told = await same_as_posted(
        accrual, client, unlinked_return(next(numbers), goods, identifier_hash=hashed, occurred_at=at), card
    )

    assert (nobodys["status"], nobodys["reason"]) == ("parked", "no_identifier")
    assert told["unlinked"]["state"] == state
    taken = (
        {"points": 4, "became_debt": 2, "clipped": 0} if at == OWED else {"points": 2, "became_debt": 0, "clipped": 2}
    )
    nothing = {"points": 0, "became_debt": 0, "clipped": 0}
    assert told["unlinked"].items() >= (nothing if state == "ignored" else taken).items()
