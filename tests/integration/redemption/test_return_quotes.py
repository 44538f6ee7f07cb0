"""What a till is told to pay back for goods, and that a return which does so brings back just that."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from services.redemption.consumer import PurchaseHandler
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseEvent, PurchaseRecorded, ReturnRecorded, Tender
from shared.events.redemptions import RedemptionRefunded
from shared.kafka import Batch, BatchSize
from shared.kafka.records import Record
from tests.support.databases import FreshDatabase
from tests.support.neighbour_host import NeighbourHost
from tests.support.receipts import line, member, purchase, return_of, void_of
from tests.support.redemption import PROGRAMME, Spending
from tests.support.redemption_service import redemption_service
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


GOODS: dict[str, Any] = {
    "occurred_at": "2026-11-01T12:00:00Z",
    "points_minor": 0,
    "is_exchange": False,
    "lines": [
        {"line_id": BREAD, "quantity_thousandths": 3000, "amount_minor": 601, "returned_thousandths": 0},
        {"line_id": MILK, "quantity_thousandths": 1000, "amount_minor": 400, "returned_thousandths": 0},
    ],
}
TAKEN: dict[str, Any] = {
    "status": "awarded",
    "policy": "debt",
    "forgive_below": 5,
    "taken": [{"point_type": "points", "points": 8, "from_pending": 1, "lacking": 3, "forgiven": 3}],
    "taken_of_lines": [
        {"line_id": BREAD, "point_type": "points", "points": 2, "lacking": 1},
        {"line_id": MILK, "point_type": "points", "points": 6, "lacking": 2},
    ],
}


@pytest.fixture
def accrual(neighbours: NeighbourHost) -> NeighbourHost:
    """It knows of no receipt."""
    return neighbours


@pytest.fixture(scope="module")
async def client(own_database: FreshDatabase, neighbour_host: NeighbourHost) -> AsyncIterator[httpx2.AsyncClient]:
    async with redemption_service(
        own_database,
        "api",
        accrual_url=neighbour_host.url,
        token_url=f"{neighbour_host.url}/oauth/token",
        checkout_part_ms_max=500,
    ) as client:
        yield client


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


def slug(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


@pytest.mark.usefixtures("accrual")
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


@pytest.mark.usefixtures("accrual")
async def test_what_cannot_come_back_is_named(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    assert slug(await quote(client, l1="1")) == (404, "unknown-receipt")
    sale = sale_of(300)
    await read(spending, sale, return_of(sale, 2, {BREAD: 2000}))

    unknown, too_much, others = await quote(client, l9="1"), await quote(client, l1="1.5"), await quote(client, "fuel")
    assert [one["pointer"] for one in unknown.json()["errors"]] == ["/lines/0/line_id"]
    assert too_much.json()["errors"][0]["detail"] == "1 of it are left to come back"
    assert others.status_code == 422  # no lines at all
    assert slug(await quote(client, "fuel", l1="1")) == (404, "unknown-receipt")

    await read(spending, void_of(sale, 3))
    assert slug(await quote(client, l1="1")) == (409, "receipt-voided")


async def test_a_receipt_that_took_points_and_was_not_read_is_not_paid_back_in_money_alone(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    await spending.enrol(ANNA, 1000)
    held = await spending.held(ANNA, 300)
    headers = bearing("redemptions:write", client_id="g", partner_id="grocer")
    path = f"/v1/redemptions/{held.redemption_id}/capture"
    assert (await client.post(path, json={"receipt": RECEIPT}, headers=headers)).status_code == 200

    assert slug(await quote(client, l1="1")) == (409, "receipt-not-read-yet")


async def test_what_the_goods_had_earned_is_told_and_is_absent_while_accrual_does_not_answer(
    client: httpx2.AsyncClient, spending: Spending, accrual: NeighbourHost
) -> None:
    """Accrual is told what comes back to the balance before: what had paid for bread and milk."""
    await spending.enrol(ANNA, 1000)
    sale = sale_of(301)
    await read(spending, sale)
    accrual.returned = (200, TAKEN)

    told = (await quote(client, l1="1", l2="1")).json()

    [asked] = accrual.returns
    assert asked == {
        "original_receipt_id": sale.data.receipt_id,
        "lines": [
            {"line_id": BREAD, "quantity_thousandths": 1000},
            {"line_id": MILK, "quantity_thousandths": 1000},
        ],
        "comes_back": [{"member_id": str(ANNA), "point_type": "points", "points": 180}],
    }
    policy = {"policy": "debt", "forgive_below": 5}
    assert told["taken"] == {"status": "awarded", "reason": None, **policy, "points": TAKEN["taken"]}
    assert [one["taken"] for one in told["lines"]] == [
        [{"point_type": "points", "points": 2, "lacking": 1}],
        [{"point_type": "points", "points": 6, "lacking": 2}],
    ]
    assert told["absent"] == []
    assert told["withhold"] is None  # what lacks is forgiven, and nobody asks for money

    accrual.silent = frozenset({"returned"})
    late = (await quote(client, l1="1", l2="1")).json()
    accrual.silent, accrual.returned = frozenset(), (500, {})
    failed = (await quote(client, l1="1", l2="1")).json()
    assert late["absent"] == [{"part": "taken", "reason": "late"}]
    assert failed["absent"] == [{"part": "taken", "reason": "failed"}]
    assert (late["taken"], late["lines"][0]["taken"]) == (None, None)
    assert (late["money_minor"], late["points"]) == (told["money_minor"], told["points"])


async def test_a_receipt_without_points_is_paid_back_in_money_and_partial_returns_add_up(
    client: httpx2.AsyncClient, spending: Spending, accrual: NeighbourHost
) -> None:
    """Whoever has read more of what came back is believed: nothing is paid back twice."""
    sale = purchase(1, [line(BREAD, 601, quantity_thousandths=3000), line(MILK, 400)], owner=ANNA)
    accrual.returned = (200, TAKEN | {"goods": GOODS})

    first = (await quote(client, l1="1", l2="1")).json()
    await read(spending, sale, return_of(sale, 2, {BREAD: 1000, MILK: 1000}))
    second = (await quote(client, l1="1")).json()
    [bread, milk] = GOODS["lines"]
    read_more = [bread | {"returned_thousandths": 2000}, milk | {"returned_thousandths": 1000}]
    accrual.returned = (200, TAKEN | {"goods": GOODS | {"lines": read_more}})
    third = (await quote(client, l1="1")).json()

    assert [one["total_minor"] for one in (first, second, third)] == [200 + 400, 200, 201]
    assert [one["points"] for one in (first, second, third)] == [[], [], []]
    assert first["taken"]["points"] == TAKEN["taken"]
    left = await quote(client, l1="1.001")
    assert left.json()["errors"][0]["detail"] == "1 of it are left to come back"
    assert (await quote(client, l2="1")).json()["errors"][0]["detail"] == "0 of it are left to come back"


@pytest.mark.usefixtures("spending")
@pytest.mark.parametrize(
    ("lacking", "kept"),
    [(5, {"points": 5, "amount_minor": 5}), (900, {"points": 200, "amount_minor": 200}), (0, None)],
)
async def test_a_till_is_told_what_to_keep_of_the_refund_and_no_more_than_it_pays_out(
    client: httpx2.AsyncClient, accrual: NeighbourHost, lacking: int, kept: dict[str, int] | None
) -> None:
    """A point is a cent. What lacks of other types is not its affair, nor what is forgiven."""
    taken = [
        {"point_type": "points", "points": 900, "from_pending": 0, "lacking": lacking + 2, "forgiven": 2},
        {"point_type": "status", "points": 9, "from_pending": 0, "lacking": 9, "forgiven": 0},
    ]
    accrual.returned = (200, TAKEN | {"withhold": True, "taken": taken, "goods": GOODS})

    told = (await quote(client, l1="1")).json()

    assert (told["money_minor"], told["withhold"]) == (200, kept)


@pytest.mark.usefixtures("spending")
async def test_why_a_receipt_without_points_is_not_quoted_is_named(
    client: httpx2.AsyncClient, accrual: NeighbourHost
) -> None:
    """Nothing is paid back in money because somebody has not read, or cannot say, that points had paid."""
    nothing = {"status": "refused", "taken": [], "taken_of_lines": []}
    paid = GOODS | {"points_minor": 400}
    for answer, named in (
        (nothing | {"reason": "original_forgotten"}, (409, "receipt-not-kept")),
        (nothing | {"reason": "original_voided", "goods": GOODS}, (409, "receipt-voided")),
        (TAKEN | {"goods": paid}, (409, "receipt-not-read-yet")),
        (TAKEN | {"goods": paid | {"is_exchange": True}}, (409, "points-moved-on")),
    ):
        accrual.returned = (200, answer)
        assert slug(await quote(client, l1="1")) == named

    accrual.returned = (200, nothing | {"reason": "original_refused", "goods": GOODS})
    told = (await quote(client, l1="1")).json()
    assert told["money_minor"] == 200
    assert (told["taken"]["status"], told["taken"]["reason"]) == ("refused", "original_refused")

    accrual.returned = (500, {})
    away = await quote(client, l1="1")
    assert slug(away) == (503, "goods-unknown-now")
    assert int(away.headers["retry-after"]) > 0
