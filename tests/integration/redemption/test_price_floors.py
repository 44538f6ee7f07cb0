"""Price floors of articles, as coalition tells them: neither discounts nor points take a line below."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from services.redemption.domain.errors import PriceChangedError
from services.redemption.domain.holding import HoldRequest, Paid
from services.redemption.domain.write_off.quoting import BasketLine, Bound
from services.redemption.domain.write_off.rules import Floor, Rate, WriteOffHistory, WriteOffRules
from services.redemption.programme import Programme, PublishedWriteOffRules
from services.redemption.use_cases.hold_points import Declined, Held, Spender, hold_points
from services.redemption.use_cases.quote_points import Asked, Quoted, quote_points
from shared.database import Transaction
from shared.events.goods import MappedData, ProductMapped
from shared.ids import new_id
from tests.support.adjusting import slug
from tests.support.counted_statements import counted_statements
from tests.support.pooling import Place, move_in
from tests.support.price_floors import floor
from tests.support.privileges import checked, declared, terms
from tests.support.receipts import member
from tests.support.redemption import NOON, PROGRAMME, Spending
from tests.support.registries import bearing

ANNA, BERT = member(1), member(2)
TILL = bearing("redemptions:write", "redemptions:read", client_id="g", partner_id="grocer")
HALF_OF_BOOKS = Floor(id="books", categories=("BOOKS",), percent=50)


def goods(number: int, amount_minor: int, sku: str, quantity_thousandths: int = 1_000) -> BasketLine:
    return BasketLine(number, amount_minor, quantity_thousandths, sku)


async def quoted(
    spending: Spending,
    *lines: BasketLine,
    category: str | None = None,
    partner_id: str = "grocer",
    programme: Programme = PROGRAMME,
    wanted: int | None = None,
    valid_for: timedelta = timedelta(minutes=15),
) -> Quoted:
    asked = Asked(partner_id, lines, [category] * len(lines), points_wanted=wanted)
    return await spending.do(lambda transaction: quote_points(transaction, Spender(ANNA), asked, programme, valid_for))


def values(found: Quoted) -> list[int]:
    return [line.value_minor for line in found.quote.lines]


async def hold(spending: Spending, found: Quoted, points: int | None = None) -> Held | Declined | Paid:
    async def work(transaction: Transaction) -> Held | Declined | Paid:
        request = HoldRequest(
            "grocer",
            points or found.quote.points,
            transaction.now + timedelta(minutes=15),
            quote_id=found.stored.quote_id,
        )
        return await hold_points(transaction, Spender(ANNA), request, PROGRAMME)

    return await spending.do(work)


def under(*floors: Floor) -> Programme:
    """A programme whose rules have these floors, and a point is a cent."""
    rules = WriteOffRules(
        rates=(Rate(id="cent", name="A point is a cent", points=1, per_minor=1),),
        floors=floors,
        version=1,
        effective_from=NOON - timedelta(days=365),
    )
    published = PublishedWriteOffRules()
    published.history = WriteOffHistory([rules])
    return replace(PROGRAMME, write_off=published)


async def test_points_leave_the_floor_of_each_article_by_quantity_rounded_in_its_favour(spending: Spending) -> None:
    await spending.enrol(ANNA, 10_000)
    await spending.coalition(floor("cheese", 333), floor("book", 900), floor("wine", 500, partner_id="fuel"))
    # 1.5 kg at 333 are 499.5: 500 stay; a book that is sold below its floor already is paid in money alone.
    lines = (goods(1, 1_500, "cheese", 1_500), goods(2, 800, "book"), goods(3, 700, "wine"))
    found = await quoted(spending, *lines)
    assert (values(found), found.quote.value_minor) == ([1_000, 0, 700], 1_700)
    assert found.quote.bounds == (Bound("article_floor", value_minor=1_700),)
    assert values(await quoted(spending, *lines, partner_id="fuel")) == [1_500, 800, 200]
    assert isinstance(await hold(spending, found), Held)


async def test_of_the_rules_floor_and_the_articles_the_higher_one_counts_and_each_is_named(spending: Spending) -> None:
    await spending.enrol(ANNA, 10_000)
    await spending.coalition(floor("novel", 600), floor("comic", 100))
    found = await quoted(
        spending, goods(1, 1_000, "novel"), goods(2, 1_000, "comic"), category="BOOKS", programme=under(HALF_OF_BOOKS)
    )
    assert values(found) == [400, 500]
    assert found.quote.bounds == (Bound("price_floor", value_minor=1_000), Bound("article_floor", value_minor=1_300))


async def test_a_floor_moves_to_higher_versions_alone_and_can_be_taken_away(spending: Spending) -> None:
    await spending.enrol(ANNA, 10_000)
    told = (floor("book", 900, 2), floor("book", 300, 5), floor("book", None, 7))
    for events, value_minor in (
        (told[:1], 100),
        (told[1:2], 700),
        (told[:1], 700),  # an old word after a new one
        (told, 1_000),  # all of it again, in one batch
        (told[:2], 1_000),
    ):
        await spending.coalition(*events)
        assert values(await quoted(spending, goods(1, 1_000, "book"))) == [value_minor]


async def test_a_floor_that_came_in_between_changes_the_price_of_a_quote_that_does_not_keep_it(
    spending: Spending,
) -> None:
    await spending.enrol(ANNA, 10_000)
    found = await quoted(spending, goods(1, 1_000, "book"), goods(2, 1_000, "bread"))
    await spending.coalition(floor("book", 400))
    with pytest.raises(PriceChangedError) as changed:
        await hold(spending, found)
    assert (changed.value.quoted_value_minor, changed.value.value_minor_now) == (2_000, 1_600)
    assert changed.value.is_by_floor
    # 1,600 are enough for both lines now, but of 1,200 the till was told 600 and 600.
    assert isinstance(await hold(spending, found, 1_200), Held)
    with pytest.raises(PriceChangedError) as by_line:  # 650 and 650: the book would cost 350
        await hold(spending, found, 1_300)
    assert (by_line.value.points_now, by_line.value.value_minor_now) == (1_300, 1_300)
    assert (await spending.balance(ANNA)).held == 1_200
    assert isinstance(await hold(spending, await quoted(spending, goods(1, 1_000, "book"))), Held)


async def test_a_floor_that_was_lowered_or_taken_away_leaves_the_quoted_price(spending: Spending) -> None:
    await spending.enrol(ANNA, 10_000)
    await spending.coalition(floor("book", 400, 1))
    found = await quoted(spending, goods(1, 1_000, "book"))
    await spending.coalition(floor("book", None, 2))
    held = await hold(spending, found)
    assert isinstance(held, Held)
    assert held.redemption.value_minor == 600


async def test_an_expired_quote_is_asked_again_at_the_floors_of_now(spending: Spending) -> None:
    await spending.enrol(ANNA, 10_000)
    found = await quoted(spending, goods(1, 1_000, "book"), valid_for=timedelta(0))
    await spending.coalition(floor("book", 400))
    with pytest.raises(PriceChangedError) as changed:
        await hold(spending, found)
    assert (changed.value.points_now, changed.value.is_by_floor) == (600, True)
    assert isinstance(await hold(spending, found, 600), Held)


async def test_who_spends_with_a_household_keeps_floors_too(spending: Spending) -> None:
    for each in (ANNA, BERT):
        await spending.enrol(each, 500)
    await move_in(spending, 1, Place(ANNA), Place(BERT))
    found = await quoted(spending, goods(1, 900, "book"))
    await spending.coalition(floor("book", 400))
    with pytest.raises(PriceChangedError):
        await hold(spending, found)
    assert isinstance(await hold(spending, await quoted(spending, goods(1, 900, "book"))), Held)


async def test_discounts_and_points_have_one_floor_together(spending: Spending) -> None:
    """A book of 1,000 whose article has a floor of 700: a fifth off leaves 800, and points pay 100 of it. By the rules
    half of its price before discounts stays: of another book 800 are left, and points pay 300."""
    await spending.enrol(ANNA, 10_000)
    await spending.coalition(floor("book", 700))
    programme = await declared(spending, terms("fifth", {"kind": "percent", "percent": 20}))
    programme = replace(under(HALF_OF_BOOKS), privileges=programme.privileges)
    books = (goods(1, 1_000, "book"), goods(2, 1_000, "other"))
    left = (await checked(spending, programme, ANNA, books)).discounted.left_minor
    assert left == {1: 800, 2: 800}
    paid = [line.discounted(left[line.line_id]) for line in books]
    assert values(await quoted(spending, *paid, category="BOOKS", programme=programme)) == [100, 300]

    deep = await declared(spending, terms("half", {"kind": "percent", "percent": 50}))
    assert (await checked(spending, deep, ANNA, books)).discounted.left_minor == {1: 700, 2: 400}


async def test_a_till_is_told_of_floors_and_of_a_price_that_they_changed(
    client: httpx2.AsyncClient, spending: Spending, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spending.enrol(ANNA, 10_000)
    data = MappedData(
        partner_id="grocer",
        version=1,
        partner_category="B",
        category_id="BOOKS",
        path=("BOOKS",),
        in_force_from=NOON,
    )
    await spending.coalition(
        floor("book", 400), ProductMapped(id=new_id(), source="test", subject="grocer", time=NOON, data=data)
    )
    line: dict[str, Any] = {"line_id": 1, "sku": "book", "category": "B", "amount_minor": 900, "privilege_minor": 100}
    basket = {"member_id": str(ANNA), "lines": [line]}
    with counted_statements(monkeypatch) as statements:
        quote = (await client.post("/v1/quotes", json=basket, headers=TILL)).json()
    reads = [one for one in statements.of_transaction_with("insert into redemption_quotes") if "price_floors" in one]
    assert len(reads) == 1  # together with what the goods count as
    assert quote["value_minor"] == 500
    assert [(bound["code"], bound["value_minor"]) for bound in quote["bounds"]] == [("article_floor", 500)]

    async def reserve(points: int) -> httpx2.Response:
        body = {"member_id": str(ANNA), "points": points, "quote_id": quote["quote_id"]}
        headers = TILL | {"Idempotency-Key": new_id().hex}
        return await client.post("/v1/redemptions", json=body, headers=headers)

    with counted_statements(monkeypatch) as statements:
        assert (await reserve(300)).status_code == 201
        assert len(statements.of_transaction_with("insert into redemptions")) == 5
    await spending.coalition(floor("book", 700, 2))
    changed = await reserve(400)
    assert slug(changed) == (409, "price-changed")
    said = {name: changed.json()[name] for name in ("because", "quoted_value_minor", "value_minor_now")}
    assert said == {"because": "price_floor", "quoted_value_minor": 400, "value_minor_now": 200}
