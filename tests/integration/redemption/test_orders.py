"""An order's hold: weeks long, taken by each shipment's receipt, smaller where lines are cancelled."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import httpx2
import pytest

from services.redemption.domain.errors import ExceedsHoldError, HoldNotOpenError, UnknownRedemptionError
from services.redemption.domain.redemption import State
from services.redemption.domain.sold_goods import sold_sale_of
from services.redemption.domain.tender import Pricing, points_tenders
from services.redemption.use_cases.settle_sales import settle_sales
from services.redemption.use_cases.shrink_hold import Shrunk, shrink_hold
from shared.events.redemptions import RedemptionVoided
from shared.receipt_key import encode_receipt_key
from shared.web import Principal
from tests.support.adjusting import slug
from tests.support.pooling import Place, move_in
from tests.support.receipts import member
from tests.support.redemption import (
    FUEL,
    GROCER,
    PROGRAMME,
    Admin,
    Spending,
    paid_with_points,
    tender_of,
    till_receipt,
    void_of,
)
from tests.support.registries import bearing

ANNA, BERT = member(1), member(2)
FORTNIGHT = timedelta(days=14)


def shop() -> dict[str, str]:
    return bearing("redemptions:write", "redemptions:read", client_id="g", partner_id="grocer")


async def ordered(client: httpx2.AsyncClient, points: int, **said: Any) -> dict[str, Any]:
    body = {"member_id": str(ANNA), "points": points, "channel": "order"} | said
    answer = await client.post("/v1/redemptions", json=body, headers=shop())
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def shrink(spending: Spending, redemption_id: UUID, points: int, viewer: Principal = GROCER) -> Shrunk:
    return await spending.do(lambda transaction: shrink_hold(transaction, viewer, redemption_id, points))


async def test_an_order_is_held_for_weeks_and_taken_by_each_shipment(
    client: httpx2.AsyncClient, spending: Spending, admin: Admin
) -> None:
    await spending.enrol(ANNA, 1000)
    order = await ordered(client, 400)
    redemption_id = UUID(order["redemption_id"])
    lasts = datetime.fromisoformat(order["expires_at"]) - datetime.fromisoformat(order["held_at"])
    assert (lasts, order["is_taken_in_parts"]) == (FORTNIGHT, True)
    await spending.expire(await spending.advance(admin, timedelta(days=10)))
    shipments = [tender_of(paid_with_points(number, 150, redemption_id, owner=ANNA)) for number in (1, 2)]

    reports = [await spending.settle(*shipments), await spending.settle(*shipments)]

    assert [report.outcomes for report in reports] == [{"captured": 2}, {"repeat": 2}]
    balance = await spending.balance(ANNA)
    assert (balance.available, balance.held) == (600, 100)
    assert await spending.expire(await spending.advance(admin, timedelta(days=5))) == 1
    redemption = await spending.redemption(redemption_id)
    assert (redemption.state, redemption.captured_points) == (State.EXPIRED, 300)
    assert (await spending.balance(ANNA)).available == 700
    await spending.check([ANNA], 1000)


@pytest.mark.parametrize("is_one_batch", [True, False])
async def test_shipments_together_take_no_more_than_one_receipt_would(
    client: httpx2.AsyncClient, spending: Spending, *, is_one_batch: bool
) -> None:
    """A point pays 3, and each of three shipments of 100 costs a third of a point more than 33."""
    await spending.enrol(ANNA, 100)
    redemption_id = UUID((await ordered(client, 100))["redemption_id"])
    pricing = Pricing("USD", 3)
    programme = replace(PROGRAMME, pricing=pricing)
    sales = [paid_with_points(number, 100, redemption_id, owner=ANNA) for number in (1, 2, 3)]
    for batch in [sales] if is_one_batch else [[sale] for sale in sales]:
        tenders = [tender for sale in batch for tender in points_tenders(sale, pricing)]
        sold = [said for sale in batch if (said := sold_sale_of(sale, "points")) is not None]
        for _ in ("once", "again"):
            await spending.do(partial(settle_sales, tenders=tenders, sales=sold, programme=programme))

    redemption = await spending.redemption(redemption_id)
    assert (redemption.state, redemption.captured_points, redemption.uncovered_points) == (State.CAPTURED, 100, 0)
    assert await spending.exceptions() == []
    await spending.check([ANNA], 100)


async def test_the_last_shipment_ends_it_and_what_is_beyond_is_late(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = UUID((await ordered(client, 400))["redemption_id"])

    await spending.settle(tender_of(paid_with_points(1, 150, redemption_id, owner=ANNA)))
    await spending.settle(tender_of(paid_with_points(2, 300, redemption_id, owner=ANNA)))

    redemption = await spending.redemption(redemption_id)
    assert (redemption.state, redemption.captured_points, redemption.open_points) == (State.CAPTURED, 450, 0)
    await spending.check([ANNA], 1000)


async def test_a_till_s_hold_ends_with_its_receipt_as_ever(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = UUID((await ordered(client, 400, channel="till"))["redemption_id"])
    await spending.settle(tender_of(paid_with_points(1, 150, redemption_id, owner=ANNA)))
    assert ((await spending.redemption(redemption_id)).state, (await spending.balance(ANNA)).held) == (
        State.CAPTURED,
        0,
    )


async def test_cancelled_lines_make_it_smaller_once(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = UUID((await ordered(client, 400))["redemption_id"])
    at = f"/v1/redemptions/{redemption_id}/shrink"
    await spending.drain()

    first = await client.post(at, json={"points": 250}, headers=shop())
    again = await client.post(at, json={"points": 250}, headers=shop())
    more = await client.post(at, json={"points": 251}, headers=shop())
    none = await client.post(at, json={"points": 0}, headers=shop())

    assert [(one.status_code, one.json()["released_points"]) for one in (first, again)] == [(200, 150), (200, 0)]
    assert (first.json()["open_points"], first.json()["let_go_points"]) == (250, 150)
    assert (slug(more), slug(none)) == ((409, "exceeds-hold"), (422, "invalid-request"))
    [told] = await spending.drain()
    assert isinstance(told, RedemptionVoided)
    assert (told.data.points, told.data.open_points, told.data.balance.available) == (150, 250, 750)
    await spending.settle(tender_of(paid_with_points(1, 250, redemption_id, owner=ANNA)))
    assert (await spending.redemption(redemption_id)).state is State.CAPTURED
    assert (await spending.balance(ANNA)).available == 750
    await spending.check([ANNA], 1000)


async def test_what_is_not_open_or_not_the_callers_does_not_shrink(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    voided, opened = [(await spending.held(ANNA, 100)).redemption_id for _ in range(2)]
    await spending.void(voided)

    with pytest.raises(HoldNotOpenError):
        await shrink(spending, voided, 50)
    with pytest.raises(UnknownRedemptionError):
        await shrink(spending, opened, 50, FUEL)
    with pytest.raises(ExceedsHoldError):
        await shrink(spending, opened, 101)
    assert (await spending.balance(ANNA)).held == 100


async def test_what_others_lend_goes_back_first_and_each_receipt_gives_back_to_whose_it_took(
    spending: Spending,
) -> None:
    await spending.enrol(ANNA, 100)
    await spending.enrol(BERT, 100)
    await move_in(spending, 1, Place(ANNA), Place(BERT))
    redemption_id = (await spending.held(ANNA, 180)).redemption_id
    await spending.capture(redemption_id, 1, 60, more=True)  # Anna's
    assert (await shrink(spending, redemption_id, 70)).points == 50  # Bert's: 30 of his stay

    await spending.capture(redemption_id, 2)  # 40 of Anna's, 30 of Bert's
    assert [(await spending.balance(each)).available for each in (ANNA, BERT)] == [0, 70]
    for number in (1, 2):
        await spending.void_receipts(void_of(encode_receipt_key("grocer", till_receipt(number)), number))

    assert [(await spending.balance(each)).available for each in (ANNA, BERT)] == [100, 100]
