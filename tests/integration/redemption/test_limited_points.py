"""Points that are limited in use: what a basket may use is taken, the most limited first, and balances say on what."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from services.redemption.domain.goods import Goods
from services.redemption.domain.tender import PointsTender
from services.redemption.repository import waiting_tenders
from services.redemption.use_cases.hold_points import Declined
from shared import ledger
from shared.database import Transaction
from shared.events.goods import MappedData, ProductMapped
from shared.events.purchases import PurchaseRecorded
from shared.events.redemptions import RedemptionCaptured
from shared.ids import new_id
from shared.ledger import Funding, Limits, Refund
from tests.support.pooling import Place, move_in, pooled
from tests.support.receipts import card, member
from tests.support.redemption import NOON, Spending, earn, enrolled, linked, paid_with_points, tender_of, void_of
from tests.support.registries import bearing

ANNA, BERT = member(1), member(2)
AT_FUEL = Limits(partners=("fuel",))
DAIRY = Limits(categories=("dairy",))
FIRST_STORE = Limits(stores=("grocer/s1",))


def limited(member_id: UUID, points: int, limits: Limits) -> ledger.Earn:
    plain = earn(member_id, points)
    return replace(plain, terms=replace(plain.terms, limits=limits))


async def give(spending: Spending, *earned: ledger.Earn) -> None:
    await spending.do(lambda transaction: ledger.post(transaction, earned))


async def usable(spending: Spending, member_id: UUID = ANNA) -> dict[Limits | None, int]:
    found = await spending.do(lambda transaction: ledger.load_usable(transaction, [member_id], "points"))
    return {one.limits: one.available for one in found}


def mapped(category: str, *path: str, version: int = 1, since: datetime = NOON - timedelta(days=30)) -> ProductMapped:
    data = MappedData(
        partner_id="grocer",
        version=version,
        partner_category=category,
        category_id=path[-1] if path else None,
        path=path,
        in_force_from=since,
    )
    return ProductMapped(id=new_id(), source="test", subject="grocer", time=NOON, data=data)


def with_goods(event: PurchaseRecorded, category: str) -> PurchaseRecorded:
    [line] = event.data.lines
    lines = (line.model_copy(update={"category": category}),)
    return event.model_copy(update={"data": event.data.model_copy(update={"lines": lines})})


async def hold(client: httpx2.AsyncClient, points: int, **others: Any) -> httpx2.Response:
    headers = bearing("redemptions:write", "balances:read", client_id="g", partner_id="grocer")
    return await client.post(
        "/v1/redemptions", json={"member_id": str(ANNA), "points": points} | others, headers=headers
    )


async def test_a_hold_takes_what_its_basket_may_use_the_most_limited_first(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    await spending.coalition(mapped("MILK", "food", "dairy"))
    await spending.enrol(ANNA, 10)
    await give(spending, limited(ANNA, 20, AT_FUEL), limited(ANNA, 5, DAIRY), limited(ANNA, 3, FIRST_STORE))

    held = await hold(client, 16, categories=["MILK", "BREAD"], store_id="s1")

    assert held.status_code == 201
    assert await usable(spending) == {None: 2, AT_FUEL: 20}
    await spending.void(UUID(held.json()["redemption_id"]))
    assert await usable(spending) == {None: 10, AT_FUEL: 20, DAIRY: 5, FIRST_STORE: 3}


async def test_too_few_that_this_basket_may_use_are_declined_and_told(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    await spending.enrol(ANNA, 10)
    await give(spending, limited(ANNA, 20, AT_FUEL), limited(ANNA, 5, DAIRY))

    declined = await hold(client, 16, categories=["dairy"])

    assert declined.status_code == 409
    assert declined.json()["available"] == 15
    assert (await hold(client, 11)).json()["available"] == 10


async def test_a_hold_by_a_quote_uses_what_was_quoted_for_its_goods(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    await spending.coalition(mapped("MILK", "food", "dairy"))
    await spending.enrol(ANNA, 10)
    await give(spending, limited(ANNA, 20, AT_FUEL), limited(ANNA, 5, DAIRY), limited(ANNA, 3, FIRST_STORE))
    till = bearing("redemptions:write", client_id="g", partner_id="grocer")
    lines = [{"line_id": 1, "category": "MILK", "amount_minor": 400}]
    quoted = await client.post(
        "/v1/quotes", json={"member_id": str(ANNA), "store_id": "s1", "lines": lines}, headers=till
    )
    assert quoted.json()["points"] == 18

    held = await hold(client, 18, quote_id=quoted.json()["quote_id"])

    assert held.status_code == 201, held.text
    assert await usable(spending) == {AT_FUEL: 20}


async def test_a_mapping_that_counted_at_the_time_decides_whatever_came_later_or_first(spending: Spending) -> None:
    await spending.coalition(mapped("MILK", "food", "oil", version=3, since=datetime(2100, 1, 1, tzinfo=UTC)))
    await spending.coalition(mapped("MILK", "food", "dairy", version=2), mapped("MILK", "food", version=1))
    await spending.enrol(ANNA)
    await give(spending, limited(ANNA, 5, DAIRY))

    await spending.settle(tender_of(with_goods(paid_with_points(1, 5, None, owner=ANNA), "MILK")))

    assert await usable(spending) == {}


async def test_a_late_tender_takes_no_points_that_are_for_other_goods(spending: Spending) -> None:
    """The rest is the partner's loss, and not the member's points for fuel."""
    await spending.enrol(ANNA, 10)
    await give(spending, limited(ANNA, 20, AT_FUEL), limited(ANNA, 5, DAIRY))

    report = await spending.settle(tender_of(with_goods(paid_with_points(1, 30, None, owner=ANNA), "dairy")))

    assert report.uncovered_points == 15
    assert await usable(spending) == {AT_FUEL: 20}


async def test_a_tender_that_waits_for_its_member_remembers_its_goods(spending: Spending) -> None:
    event = with_goods(paid_with_points(1, 5, None, identifier_hash=card(1)), "dairy")
    await spending.settle(tender_of(event))
    await spending.members(enrolled(ANNA), linked(ANNA, card(1)))
    await give(spending, limited(ANNA, 5, DAIRY))
    [ready] = await spending.do(_ready)

    assert ready.goods == Goods(NOON, "s1", frozenset({"dairy"}))
    await spending.settle(ready)

    assert await usable(spending) == {}


async def _ready(transaction: Transaction) -> list[PointsTender]:
    return await waiting_tenders.load_ready(transaction, 10)


async def test_what_is_given_back_is_limited_as_it_was(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 10)
    await give(spending, limited(ANNA, 5, DAIRY))
    redemption_id = UUID((await hold(client, 12, categories=["dairy"])).json()["redemption_id"])
    await spending.capture(redemption_id)
    assert await usable(spending) == {None: 3}

    refund = Refund(ANNA, "points", b"return", 9, redemption_id, "grocer")
    await spending.do(lambda transaction: ledger.post(transaction, [refund]))

    assert await usable(spending) == {None: 10, DAIRY: 2}


async def test_a_household_lends_what_the_basket_may_use(spending: Spending) -> None:
    """Bert has 20 for fuel and 3 for anything: at the grocer Anna may spend 10 + 3."""
    await spending.enrol(ANNA, 10)
    await spending.enrol(BERT, 3)
    await give(spending, limited(BERT, 20, AT_FUEL))
    await move_in(spending, 1, Place(ANNA), Place(BERT))

    declined = await spending.hold(ANNA, 14)
    assert isinstance(declined, Declined)
    assert declined.available == 13
    redemption = await pooled(spending, ANNA, 13)

    assert [(share.owner_id, share.held_points) for share in redemption.shares] == [(BERT, 3)]
    assert await usable(spending, BERT) == {AT_FUEL: 20}


async def test_what_is_taken_says_who_pays_for_it(client: httpx2.AsyncClient, spending: Spending) -> None:
    """Of 12 points 5 are the supplier's, whatever purse they came from."""
    funding = Funding((("danone", 2), ("dairy", 1)), 8_500, "USD", "milk")
    await spending.enrol(ANNA, 10)
    plain = limited(ANNA, 5, DAIRY)
    await give(spending, replace(plain, terms=replace(plain.terms, funding=funding)))
    held = await hold(client, 12, categories=["dairy"])
    await spending.capture(UUID(held.json()["redemption_id"]))

    [captured] = [event.data for event in await spending.drain() if isinstance(event, RedemptionCaptured)]

    assert [(one.issuer, one.points) for one in captured.by_issuer] == [("grocer", 12)]
    [funded] = captured.by_funding
    assert (funded.issuer, funded.points, funded.campaign, funded.price) == ("grocer", 5, "milk", "0.008500")
    assert [(one.payer, one.weight) for one in funded.payers] == [("dairy", 1), ("danone", 2)]


async def test_balances_say_what_may_be_spent_on_what(client: httpx2.AsyncClient, spending: Spending) -> None:
    until = Limits(partners=("fuel", "cinema"), dates=((date.min, date(2099, 12, 31)),))
    await spending.enrol(ANNA, 10)
    await give(spending, limited(ANNA, 20, until), limited(ANNA, 5, DAIRY))
    headers = bearing("balances:read", client_id="g", partner_id="grocer")

    answer = (await client.get(f"/v1/members/{ANNA}/balance", headers=headers)).json()

    [balance] = answer["balances"]
    assert (balance["available"], balance["spendable"]) == (35, 35)
    assert [one["text"] for one in balance["usable"]] == [
        "10 usable anywhere",
        "5 usable for goods of dairy",
        "20 usable at cinema or fuel, until 2099-12-31",
    ]
    assert balance["usable"][1] == {
        "points": 5,
        "partners": [],
        "stores": [],
        "categories": ["dairy"],
        "dates": [],
        "text": "5 usable for goods of dairy",
    }


@pytest.mark.parametrize("is_http_first", [True, False])
async def test_a_person_is_told_of_a_receipt_whose_goods_may_not_use_what_its_hold_reserved(
    client: httpx2.AsyncClient, spending: Spending, *, is_http_first: bool
) -> None:
    """A till was promised what it reserved, so the points are taken; who pays for dairy has not paid for bread."""
    await spending.enrol(ANNA, 100)
    await give(spending, limited(ANNA, 5, DAIRY), limited(ANNA, 20, FIRST_STORE))
    held = await hold(client, 30, categories=["dairy"], store_id="s1")
    redemption_id = UUID(held.json()["redemption_id"])
    bread = tender_of(with_goods(paid_with_points(1, 30, redemption_id, owner=ANNA), "bread"))
    if is_http_first:
        await spending.capture(redemption_id, 1)

    report, again = await spending.settle(bread), await spending.settle(bread)

    assert (report.exceptions, again.exceptions) == (("other_goods",), ())
    assert await spending.exceptions() == [("other_goods", 30, 5)]
    assert (await spending.redemption(redemption_id)).captured_points == 30
    await spending.void_receipts(void_of(bread.receipt_key))
    assert (await spending.exceptions(), await usable(spending)) == ([], {None: 100, DAIRY: 5, FIRST_STORE: 20})


async def test_of_two_receipts_of_one_hold_each_answers_for_what_it_took(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    await spending.enrol(ANNA, 100)
    await give(spending, limited(ANNA, 5, DAIRY), limited(ANNA, 20, FIRST_STORE))
    held = await hold(client, 30, categories=["dairy"], store_id="s1")
    redemption_id = UUID(held.json()["redemption_id"])
    await spending.capture(redemption_id, 1, 3, more=True)
    await spending.capture(redemption_id, 2, 20)
    dairy, bread = [
        tender_of(with_goods(paid_with_points(number, points, redemption_id, owner=ANNA), category))
        for number, points, category in ((1, 3, "dairy"), (2, 20, "bread"))
    ]

    assert (await spending.settle(dairy)).exceptions == ()
    assert (await spending.settle(bread)).exceptions == ("other_goods",)
    assert await spending.exceptions() == [("other_goods", 20, 2)]


async def test_a_hold_of_the_last_day_pays_for_a_receipt_of_the_day_after(spending: Spending) -> None:
    now = await spending.now()
    today = Limits(dates=((now.date(), now.date()),))
    await spending.enrol(ANNA)
    await give(spending, limited(ANNA, 30, today))
    redemption_id = (await spending.held(ANNA, 30)).redemption_id
    tender = tender_of(paid_with_points(1, 30, redemption_id, owner=ANNA))
    goods = tender.goods
    assert goods is not None
    later = replace(tender, goods=replace(goods, occurred_at=now + timedelta(days=1)))

    assert (await spending.settle(later)).exceptions == ()
