"""What a receipt was paid with and no balance covered is the member's debt, where the programme says so."""

from dataclasses import replace
from uuid import UUID

import httpx2
import pytest

from services.redemption.consumer import PurchaseHandler
from services.redemption.domain.redemption import State
from services.redemption.domain.tender import PointsTender, points_tenders
from services.redemption.use_cases.settle_tenders import TenderReport, settle_tenders
from shared import ledger
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseEvent, Tender
from shared.events.redemptions import RedemptionCaptured, RedemptionRefunded
from shared.ids import new_id
from shared.kafka import Batch, BatchSize
from shared.kafka.records import Record
from tests.support.ledger_database import lots_of
from tests.support.receipts import line, member, purchase, return_of
from tests.support.redemption import PROGRAMME, Spending, earn, paid_with_points, receipt_key_of, tender_of, void_of
from tests.support.registries import bearing

ANNA = member(1)


async def settled(spending: Spending, *tenders: PointsTender) -> TenderReport:
    return await spending.do(lambda transaction: settle_tenders(transaction, tenders, PROGRAMME.pricing, owes=True))


async def offline(spending: Spending) -> tuple[PointsTender, UUID]:
    """A hold of all of Anna's 100 points was let go, and a receipt of 400 comes all the same."""
    await spending.enrol(ANNA, 100)
    redemption_id = (await spending.held(ANNA, 100)).redemption_id
    await spending.void(redemption_id)
    await spending.drain()
    return tender_of(paid_with_points(1, 400, redemption_id, owner=ANNA)), redemption_id


async def test_the_member_owes_what_no_balance_covers_once(client: httpx2.AsyncClient, spending: Spending) -> None:
    paid, redemption_id = await offline(spending)

    first, again = await settled(spending, paid), await settled(spending, paid, paid)

    assert (first.debt_points, first.uncovered_points, first.outcomes) == (300, 0, {"late": 1})
    assert (again.debt_points, again.outcomes) == (0, {"repeat": 2})
    balance = await spending.balance(ANNA)
    assert (balance.available, balance.debt) == (0, 300)
    [told] = await spending.drain()
    assert isinstance(told, RedemptionCaptured)
    assert (told.data.points, told.data.debt_points, told.data.uncovered_points, told.data.late) == (100, 300, 0, True)
    assert sum(one.points for one in told.data.by_issuer) == told.data.points
    redemption = await spending.redemption(redemption_id)
    assert (redemption.state, redemption.captured_points, redemption.uncovered_points) == (State.CAPTURED, 400, 0)
    assert await spending.exceptions() == []
    headers = bearing("tender-exceptions:read", partner_id="grocer")
    [listed] = (await client.get("/v1/tender-exceptions", headers=headers)).json()["items"]
    said = [listed[field] for field in ("kind", "asked_points", "captured_points", "uncovered_points", "charged_to")]
    assert said == ["uncovered", 400, 100, 300, "member"]


@pytest.mark.parametrize(("earned", "back"), [(0, 100), (200, 300), (500, 600)])
async def test_a_void_leaves_as_if_it_never_was(spending: Spending, earned: int, back: int) -> None:
    """Whatever of the debt has been paid since: what is still owed is owed no more, and the rest comes back, once."""
    paid, _ = await offline(spending)
    await settled(spending, paid)
    if earned:
        await spending.do(lambda transaction: ledger.post(transaction, [earn(ANNA, earned)]))
    await spending.drain()

    given = [await spending.void_receipts(void_of(paid.receipt_key, number, 400)) for number in (1, 1, 2)]

    balance = await spending.balance(ANNA)
    assert (balance.available, balance.debt) == (back, 0)
    assert given == [400, 0, 0]
    [told] = await spending.drain()
    assert isinstance(told, RedemptionRefunded)
    assert (told.data.points, told.data.debt_points, told.data.balance.available) == (100, 300, back)
    assert (await settled(spending, paid)).outcomes == {"refused": 1}


async def test_what_goes_back_pays_nothing_of_what_is_undone_with_it(spending: Spending) -> None:
    """What a receipt took late is back in its own lot, with its own day: nobody has points of the partner's instead."""
    paid, _ = await offline(spending)
    await settled(spending, paid)

    await spending.void_receipts(void_of(paid.receipt_key, 1, 400))

    lots = await lots_of(spending.database, [ANNA])
    assert [(terms.issuer, terms.basis, amounts) for (_, _, (terms, _)), amounts in lots.items()] == [
        ("grocer", "purchase", (100, 0))
    ]


async def test_two_redemptions_of_a_receipt_pay_nothing_of_each_others_debt(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    redemption_id = (await spending.held(ANNA, 100)).redemption_id
    tenders = [
        Tender(kind="points", amount_minor=points, redemption_id=one)
        for one, points in ((redemption_id, 100), (new_id(), 50))
    ]
    sale = purchase(1, 150, owner=ANNA, tenders=tenders)
    await settled(spending, *points_tenders(sale, PROGRAMME.pricing))
    assert (await spending.balance(ANNA)).debt == 50
    await spending.drain()

    await spending.void_receipts(void_of(receipt_key_of(sale), 1, 150))

    lots = await lots_of(spending.database, [ANNA])
    assert [(terms.basis, amounts) for (_, _, (terms, _)), amounts in lots.items()] == [("purchase", (100, 0))]
    told = [event.data for event in await spending.drain() if isinstance(event, RedemptionRefunded)]
    assert [(one.points, one.debt_points, one.balance.available) for one in told] == [(0, 50, 0), (100, 0, 100)]


async def test_goods_that_come_back_undo_what_is_owed_for_them_first(spending: Spending) -> None:
    """Of 300 points a loaf cost 60; the last to be taken is the first to come back, and the whole comes out even."""
    await spending.enrol(ANNA, 100)
    handler = PurchaseHandler(spending.database, replace(PROGRAMME, members_owe=True), BatchSize(200))
    rows = [line(1, 600, quantity_thousandths=3000), line(2, 400)]
    tenders = [Tender(kind="points", amount_minor=300), Tender(kind="cash", amount_minor=700)]
    sale = purchase(1, rows, owner=ANNA, tenders=tenders)
    await handler.handle(records(sale))
    await spending.drain()

    owed = []
    for number, lines in ((2, {1: 1000}), (3, {1: 2000, 2: 1000})):
        back = return_of(sale, number, lines)
        await handler.handle(records(back))
        await handler.handle(records(back, sale))
        owed.append((await spending.balance(ANNA)).debt)

    told = [event.data for event in await spending.drain() if isinstance(event, RedemptionRefunded)]
    assert [(one.points, one.debt_points) for one in told] == [(0, 60), (100, 140)]
    assert owed == [140, 0]
    assert (await spending.balance(ANNA)).available == 100


def records(*events: PurchaseEvent) -> Batch[PurchaseEvent]:
    """A batch of the topic."""
    told = (Record(event, PURCHASES.topic, 0, place, None, event.to_bytes(), {}) for place, event in enumerate(events))
    return Batch(tuple(told), ())
