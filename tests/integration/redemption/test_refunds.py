"""Points that a till gives back over HTTP: once for a return, whichever comes first, this or the return's document."""

import asyncio
from datetime import date
from functools import partial
from itertools import chain, permutations
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from services.redemption.consumer import PurchaseHandler
from services.redemption.timers import Timers
from services.redemption.use_cases.refund_points import Refunded, Wanted, refund_points
from shared import ledger
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseEvent, PurchaseRecorded, ReturnRecorded, Tender
from shared.events.redemptions import RedemptionRefunded, RefundData
from shared.kafka import Batch, BatchSize
from shared.kafka.records import Record
from shared.receipt_key import natural_key_of
from tests.support.adjusting import slug
from tests.support.receipts import exchange_of, line, member, purchase, return_of, void_of
from tests.support.redemption import GROCER, PROGRAMME, Spending, earn, till_receipt
from tests.support.redemption import void_of as void_document
from tests.support.registries import bearing

ANNA = member(1)
BREAD, MILK = 1, 2


def receipt(number: int) -> dict[str, Any]:
    return till_receipt(number).model_dump(mode="json")


def bought(redemption_id: UUID | None, points: int = 300, number: int = 1) -> PurchaseRecorded:
    """Bread for 600 (three loaves), milk for 400; ``points`` paid for some of it, a point being a cent."""
    rows = [line(BREAD, 600, quantity_thousandths=3000), line(MILK, 400)]
    tenders = [
        Tender(kind="points", amount_minor=points, redemption_id=redemption_id),
        Tender(kind="cash", amount_minor=1000 - points),
    ]
    return purchase(number, rows, owner=ANNA, tenders=tenders)


def brought_back(sale: PurchaseRecorded, number: int, lines: dict[int, int], *said: int) -> ReturnRecorded:
    event = return_of(sale, number, lines)
    tenders = tuple(Tender(kind="points", amount_minor=one) for one in said)
    return event.model_copy(update={"data": event.data.model_copy(update={"tenders": tenders})})


async def read(spending: Spending, *events: PurchaseEvent) -> None:
    told = (Record(event, PURCHASES.topic, 0, place, None, event.to_bytes(), {}) for place, event in enumerate(events))
    await PurchaseHandler(spending.database, PROGRAMME, BatchSize(200)).handle(Batch(tuple(told), ()))


async def refunds(spending: Spending) -> list[RefundData]:
    return [event.data for event in await spending.drain() if isinstance(event, RedemptionRefunded)]


async def refund(
    client: httpx2.AsyncClient, redemption_id: UUID, number: int, *, partner: str = "grocer", **said: Any
) -> httpx2.Response:
    """Of receipt 1, for the return of this number."""
    headers = bearing("redemptions:write", client_id=partner, partner_id=partner)
    if "key" in said:
        headers["Idempotency-Key"] = said.pop("key")
    body = {"original": receipt(said.pop("original", 1)), "receipt": receipt(number)} | said
    return await client.post(f"/v1/redemptions/{redemption_id}/refund", json=body, headers=headers)


def of(line_id: int, quantity: int = 1) -> dict[str, Any]:
    return {"line_id": line_id, "quantity": str(quantity)}


async def by_use_case(spending: Spending, redemption_id: UUID, wanted: Wanted) -> Refunded:
    """As the route does it, for the return of receipt 2."""
    work = partial(refund_points, viewer=GROCER, redemption_id=redemption_id, wanted=wanted, programme=PROGRAMME)
    return await spending.do(work)


async def sold(spending: Spending, points: int = 300) -> tuple[UUID, PurchaseRecorded]:
    """A receipt that took points of a hold; 180 of 300 paid for bread, 120 for milk."""
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, points)).redemption_id
    sale = bought(redemption_id, points)
    await read(spending, sale)
    await spending.drain()
    return redemption_id, sale


async def test_points_go_back_to_their_lots_once_by_key_and_by_return(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    await spending.enrol(ANNA)
    earned = [earn(ANNA, 200, date(2098, 1, 1)), earn(ANNA, 800)]
    await spending.do(lambda transaction: ledger.post(transaction, earned))
    redemption_id = (await spending.held(ANNA, 300)).redemption_id
    await spending.capture(redemption_id)
    await spending.drain()

    first = await refund(client, redemption_id, 2, points=120, key="k")
    replayed = await refund(client, redemption_id, 2, points=120, key="k")
    by_return = await refund(client, redemption_id, 2, points=120)
    other = await refund(client, redemption_id, 3, points=180)

    assert first.status_code == 200
    answer = first.json()
    assert (answer["refund"]["points"], answer["capture"]["refunded_points"], answer["state"]) == (120, 120, "captured")
    assert answer["balance"] == {"available": 820, "held": 0, "pending": 0, "debt": 0}
    assert replayed.content == first.content
    assert (by_return.json()["refund"], by_return.json()["balance"]) == (answer["refund"], answer["balance"])
    assert other.json()["capture"]["refunded_points"] == 300
    told = await refunds(spending)
    assert [(one.points, one.cause, one.balance.available) for one in told] == [
        (120, "return", 820),
        (180, "return", 1000),
    ]
    async with spending.database.transaction() as transaction:
        lots = await transaction.raw.fetch("select expires_on, remaining from ledger_lots where remaining > 0")
    assert {lot["expires_on"]: lot["remaining"] for lot in lots} == {date(2098, 1, 1): 200, None: 800}
    assert await spending.exceptions() == []
    await spending.check([ANNA], 1000)


@pytest.mark.parametrize("said", [{"points": 60}, {"lines": [of(BREAD)]}])
@pytest.mark.parametrize("is_http_first", [True, False])
async def test_the_same_return_over_http_and_as_an_event_gives_back_once(
    client: httpx2.AsyncClient, spending: Spending, said: dict[str, Any], *, is_http_first: bool
) -> None:
    redemption_id, sale = await sold(spending)
    back = brought_back(sale, 2, {BREAD: 1000}, 60)

    if not is_http_first:
        await read(spending, back)
    answer = await refund(client, redemption_id, 2, **said)
    await read(spending, back)
    await read(spending, sale, back)
    rest = brought_back(sale, 3, {BREAD: 2000, MILK: 1000})
    await read(spending, rest)

    assert answer.json()["refund"]["points"] == 60
    assert [one.points for one in await refunds(spending)] == [60, 240]
    assert await spending.exceptions() == []
    await spending.check([ANNA], 1000)


async def test_a_return_that_says_another_amount_than_the_till_did_is_told_to_a_person(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    redemption_id, sale = await sold(spending)
    await refund(client, redemption_id, 2, points=50)
    await read(spending, brought_back(sale, 2, {BREAD: 1000}, 60))
    await refund(client, redemption_id, 3, lines=[of(BREAD)])
    await read(spending, brought_back(sale, 3, {MILK: 1000}))
    await read(spending, brought_back(sale, 4, {BREAD: 1000}))
    again = await refund(client, redemption_id, 4, points=10)

    assert again.json()["refund"]["points"] == 60
    assert [one.points for one in await refunds(spending)] == [50, 60, 60]
    assert sorted(await spending.exceptions()) == [
        ("amount_mismatch", 0, 60),
        ("amount_mismatch", 10, 60),
        ("amount_mismatch", 60, 50),
    ]
    await read(spending, brought_back(sale, 2, {BREAD: 1000}, 60))
    assert len(await spending.exceptions()) == 3
    await spending.check([ANNA], 1000)


async def test_what_was_given_back_by_amount_takes_no_part_from_goods_that_nobody_named(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    """The till gives 60 back for a loaf, the milk comes back, and the loaf's own document is read last."""
    redemption_id, sale = await sold(spending)
    await refund(client, redemption_id, 2, points=60)
    for late in (brought_back(sale, 3, {MILK: 1000}), brought_back(sale, 2, {BREAD: 1000})):
        await read(spending, late)
    await read(spending, brought_back(sale, 4, {BREAD: 2000}))
    assert [one.points for one in await refunds(spending)] == [60, 120, 120]
    assert await spending.exceptions() == []
    await spending.check([ANNA], 1000)


async def test_what_a_return_paid_out_in_money_is_not_there_for_a_till_to_give_back_in_points(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    """A loaf that 60 points had paid for was paid back in money: of 300 points 240 may come back, whoever asks when."""
    redemption_id, sale = await sold(spending)
    in_money = (Tender(kind="cash", amount_minor=200),)
    loaf = return_of(sale, 2, {BREAD: 1000})
    await read(spending, loaf.model_copy(update={"data": loaf.data.model_copy(update={"tenders": in_money})}))

    first = await refund(client, redemption_id, 3, points=100)
    too_much = await refund(client, redemption_id, 4, points=141)
    rest = await refund(client, redemption_id, 4, points=140)
    nothing_is_left = await refund(client, redemption_id, 5, points=1)

    assert [one.json()["refund"]["points"] for one in (first, rest)] == [100, 140]
    assert (slug(too_much), too_much.json()["refundable_points"]) == ((409, "overpaid-refund"), 140)
    assert (slug(nothing_is_left), nothing_is_left.json()["refundable_points"]) == ((409, "overpaid-refund"), 0)
    assert [one.points for one in await refunds(spending)] == [100, 140]
    await spending.check([ANNA], 1000)


async def test_shipments_are_refunded_by_their_own_receipts(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400)).redemption_id
    await spending.capture(redemption_id, 1, 150, more=True)
    await spending.capture(redemption_id, 2, 200, more=True)

    too_much = await refund(client, redemption_id, 3, points=151)
    second = await refund(client, redemption_id, 3, points=200, original=2)
    first = await refund(client, redemption_id, 4, points=150)

    assert slug(too_much) == (409, "overpaid-refund")
    assert too_much.json()["refundable_points"] == 150
    assert [one.json()["refund"]["points"] for one in (first, second)] == [150, 200]
    assert first.json()["open_points"] == 50  # the next shipment's
    await spending.check([ANNA], 1000)


async def test_what_cannot_be_refunded_is_named_and_changes_nothing(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    redemption_id, sale = await sold(spending)
    await read(spending, exchange_of(sale, 5, {MILK: 1000}, [line(1, 400)]))
    await spending.drain()
    ask = partial(refund, client, redemption_id)

    said = [
        (await refund(client, redemption_id, 2, points=1, partner="fuel"), (404, "not-found")),
        (await refund(client, uuid4(), 2, points=1), (404, "not-found")),
        (await ask(2, points=1, original=9), (409, "nothing-captured")),
        (await ask(2, points=301), (409, "overpaid-refund")),
        (await ask(2, points=181), (409, "overpaid-refund")),  # 120 moved on to the goods of an exchange
        (await ask(5, points=1), (409, "goods-exchanged")),
        (await ask(2, points=0), (422, "invalid-request")),
        (await ask(2, points=-1), (422, "invalid-request")),
        (await ask(2, points=1, currency="EUR"), (422, "invalid-request")),
        (await ask(2), (422, "invalid-request")),
        (await ask(2, points=1, lines=[of(BREAD)]), (422, "invalid-request")),
        (await ask(1, points=1), (422, "invalid-request")),
        (await ask(2, lines=[of(9)]), (422, "invalid-request")),
        (await ask(2, lines=[of(BREAD, 4)]), (422, "invalid-request")),
    ]

    assert [slug(answer) for answer, _ in said] == [expected for _, expected in said]
    assert said[-1][0].json()["errors"][0] == {
        "pointer": "/lines/0/quantity",
        "detail": "3 of it are left to come back",
    }
    assert await spending.drain() == []
    assert await spending.exceptions() == []
    await spending.check([ANNA], 1000)

    await read(spending, void_of(sale, 6))
    assert slug(await ask(2, points=1)) == (409, "receipt-voided")
    assert slug(await ask(6, points=1)) == (409, "return-of-another")


async def test_an_overpaid_refund_stays_refused_under_its_key_though_more_is_left_by_then(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    """It was decided, and its till has paid out money: a copy that comes late gives nothing."""
    redemption_id, sale = await sold(spending)
    exchange = exchange_of(sale, 5, {MILK: 1000}, [line(1, 400)])
    await read(spending, exchange)
    refused = await refund(client, redemption_id, 2, points=300, key="k")
    assert (slug(refused), refused.json()["refundable_points"]) == ((409, "overpaid-refund"), 180)

    await read(spending, void_of(exchange, 6))
    soon = await refund(client, redemption_id, 2, points=300, key="m")
    assert (slug(soon), "Retry-After" in soon.headers) == ((409, "overpaid-refund"), True), "it is not settled yet"
    await Timers(spending.database, PROGRAMME).sweep()

    late = await refund(client, redemption_id, 2, points=300, key="k")
    assert (late.content, late.headers["Idempotency-Replayed"]) == (refused.content, "true")
    assert "Retry-After" not in refused.headers
    assert (await refund(client, redemption_id, 2, points=300, key="m")).json()["refund"]["points"] == 300
    await spending.check([ANNA], 1000)


async def test_a_return_is_of_one_receipt(client: httpx2.AsyncClient, spending: Spending) -> None:
    redemption_id, _ = await sold(spending)
    other_id = (await spending.held(ANNA, 100)).redemption_id
    other = bought(other_id, 100, number=7)
    await read(spending, other)
    assert (await refund(client, redemption_id, 2, points=60)).status_code == 200

    assert slug(await refund(client, other_id, 2, points=60, original=7)) == (409, "return-of-another")
    await read(spending, brought_back(other, 2, {MILK: 1000}))  # a fact all the same, for a person
    assert await spending.exceptions() == [("amount_mismatch", 0, 60)]
    await spending.check([ANNA], 1000)


async def test_lines_wait_for_the_receipt_and_points_do_not(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 300)).redemption_id
    early = await refund(client, redemption_id, 2, lines=[of(BREAD)], key="k")
    await spending.capture(redemption_id)
    unread = await refund(client, redemption_id, 2, lines=[of(BREAD)], key="k")
    by_points = await refund(client, redemption_id, 3, points=120)
    await read(spending, bought(redemption_id))
    read_by_now = await refund(client, redemption_id, 2, lines=[of(BREAD)], key="k")

    assert slug(early) == (409, "nothing-captured")
    assert slug(unread) == (409, "receipt-not-read-yet")
    assert {"Retry-After"} <= {name.title() for name in unread.headers}
    assert [one.json()["refund"]["points"] for one in (by_points, read_by_now)] == [120, 60]
    await spending.check([ANNA], 1000)


@pytest.mark.parametrize("order", list(permutations(("http", "event", "void"))))
async def test_in_whatever_order_everything_is_back_once(spending: Spending, order: tuple[str, ...]) -> None:
    redemption_id, sale = await sold(spending)
    for step in order:
        match step:
            case "http" if "void" not in order[: order.index("http")]:
                wanted = Wanted(till_receipt(1), till_receipt(2), points=180)
                await by_use_case(spending, redemption_id, wanted)
            case "event":
                await read(spending, brought_back(sale, 2, {BREAD: 3000}))
            case "void":
                await read(spending, void_of(sale, 3))
    await Timers(spending.database, PROGRAMME).sweep()
    assert sum(one.points for one in await refunds(spending)) == 300
    assert (await spending.balance(ANNA)).available == 1000
    assert await spending.exceptions() == []
    await spending.check([ANNA], 1000)


async def test_http_the_event_and_a_void_at_once_give_back_what_was_taken(spending: Spending) -> None:
    """Three connections, each of them three times."""
    redemption_id, sale = await sold(spending)
    back = brought_back(sale, 2, {BREAD: 3000})
    key = natural_key_of(sale.data.receipt_id)

    async def over_http() -> None:
        wanted = Wanted(till_receipt(1), till_receipt(2), thousandths={BREAD: 3000})
        await by_use_case(spending, redemption_id, wanted)

    async def void() -> None:
        await spending.void_receipts(void_document(key))

    works = [(over_http(), read(spending, back), void()) for _ in range(3)]
    said = await asyncio.gather(*chain.from_iterable(works), return_exceptions=True)
    assert {type(one).__name__ for one in said if isinstance(one, Exception)} <= {"RefundOfVoidedError"}
    assert sum(one.points for one in await refunds(spending)) == 300
    await spending.check([ANNA], 1000)
