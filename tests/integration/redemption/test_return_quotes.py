"""What a till is told to pay back for goods, and that a return which does so brings back just that."""

from typing import Any

import httpx2

from services.redemption.consumer import PurchaseHandler
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseEvent, PurchaseRecorded, ReturnRecorded, Tender
from shared.events.redemptions import RedemptionRefunded
from shared.kafka import Batch, BatchSize
from shared.kafka.records import Record
from tests.support.receipts import line, member, purchase, return_of, void_of
from tests.support.redemption import PROGRAMME, Spending
from tests.support.registries import bearing

ANNA = member(1)
BREAD, MILK = 1, 2
RECEIPT = {
    "scheme": "sequence",
    "store_id": "s1",
    "till_id": "1",
    "business_date": "2026-11-01",
    "shift": 1,
    "number": 1,
}


def sale_of(points: int) -> PurchaseRecorded:
    """Three loaves for 600 and milk for 400; ``points`` paid for some of it, a point being a cent."""
    rows = [line(BREAD, 600, quantity_thousandths=3000), line(MILK, 400)]
    tenders = [Tender(kind="points", amount_minor=points), Tender(kind="card", amount_minor=1000 - points)]
    return purchase(1, rows, owner=ANNA, tenders=tenders)


async def read(spending: Spending, *events: PurchaseEvent) -> None:
    told = (Record(event, PURCHASES.topic, 0, place, None, event.to_bytes(), {}) for place, event in enumerate(events))
    await PurchaseHandler(spending.database, PROGRAMME, BatchSize(200)).handle(Batch(tuple(told), ()))


async def quote(client: httpx2.AsyncClient, partner_id: str = "grocer", **quantities: str) -> httpx2.Response:
    lines = [{"line_id": int(name[1:]), "quantity": quantity} for name, quantity in quantities.items()]
    headers = bearing("redemptions:write", client_id="g", partner_id=partner_id)
    return await client.post("/v1/returns:quote", json={"original": RECEIPT, "lines": lines}, headers=headers)


def posted(sale: PurchaseRecorded, number: int, quoted: dict[str, Any]) -> ReturnRecorded:
    """The return of a till that pays back what it was told."""
    event = return_of(sale, number, {one["line_id"]: int(float(one["quantity"]) * 1000) for one in quoted["lines"]})
    tenders = [Tender(kind="card", amount_minor=quoted["money_minor"])]
    tenders += [
        Tender(kind="points", amount_minor=one["value_minor"], redemption_id=one["redemption_id"])
        for one in quoted["points"]
    ]
    data = event.data.model_copy(update={"tenders": tuple(tenders), "total_minor": quoted["total_minor"]})
    return event.model_copy(update={"data": data})


async def test_quotes_of_partial_returns_add_up_and_are_what_comes_back(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    """Of 301 points bread cost 181 and milk 120."""
    await spending.enrol(ANNA, 1000)
    sale = sale_of(301)
    await read(spending, sale)

    told = []
    for number, quantities in enumerate([{"l1": "1", "l2": "1"}, {"l1": "1"}, {"l1": "1"}], start=2):
        quoted = (await quote(client, **quantities)).json()
        assert (await quote(client, **quantities)).json() == quoted  # nothing was reserved
        told.append(quoted)
        await read(spending, posted(sale, number, quoted))

    assert [one["points"][0]["points"] for one in told] == [180, 60, 61]
    assert [one["money_minor"] for one in told] == [139 + 280, 140, 140]
    assert [one["total_minor"] for one in told] == [599, 200, 201]
    assert [(one["line_id"], one["money_minor"], one["points"][0]["points"]) for one in told[0]["lines"]] == [
        (BREAD, 139, 60),
        (MILK, 280, 120),
    ]
    refunded = [event.data.points for event in await spending.drain() if isinstance(event, RedemptionRefunded)]
    assert refunded == [180, 60, 61]
    assert await spending.exceptions() == []
    await spending.check([ANNA], 1000)


async def test_what_cannot_come_back_is_named(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    assert (await quote(client, l1="1")).status_code == 404
    sale = sale_of(300)
    await read(spending, sale, return_of(sale, 2, {BREAD: 2000}))

    unknown, too_much, others = await quote(client, l9="1"), await quote(client, l1="1.5"), await quote(client, "fuel")
    assert [one["pointer"] for one in unknown.json()["errors"]] == ["/lines/0/line_id"]
    assert too_much.json()["errors"][0]["detail"] == "1 of it are left to come back"
    assert others.status_code == 422  # no lines at all
    assert (await quote(client, "fuel", l1="1")).json()["type"].endswith("/no-points-in-receipt")

    await read(spending, void_of(sale, 3))
    voided = await quote(client, l1="1")
    assert (voided.status_code, voided.json()["type"].rpartition("/")[2]) == (409, "receipt-voided")


async def test_a_receipt_that_took_points_and_was_not_read_is_not_paid_back_in_money_alone(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    await spending.enrol(ANNA, 1000)
    held = await spending.held(ANNA, 300)
    headers = bearing("redemptions:write", client_id="g", partner_id="grocer")
    path = f"/v1/redemptions/{held.redemption_id}/capture"
    assert (await client.post(path, json={"receipt": RECEIPT}, headers=headers)).status_code == 200

    unread = await quote(client, l1="1")

    assert (unread.status_code, unread.json()["type"].rpartition("/")[2]) == (409, "receipt-not-read-yet")
