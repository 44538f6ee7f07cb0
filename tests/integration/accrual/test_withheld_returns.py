"""Points for which a till has kept money of the refund: nobody takes them, and nobody owes them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from uuid import UUID

import pytest

from services.accrual.domain.asked_returns import LineAsked
from services.accrual.use_cases.preview_return import preview_return
from shared.events.points import PointsClawedBack, ReceiptRefused
from shared.events.purchases import PurchaseLine, PurchaseRecorded, ReturnRecorded, Withheld
from shared.ledger import Balances, Earn, LotTerms, SpendLate, post
from shared.receipt_key import natural_key_of
from tests.support.accrual import PROGRAMME, Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.databases import FreshDatabase
from tests.support.receipts import NOON, changed_rules, line, purchase, return_of, void_of
from tests.support.return_policies import WINE_WAITS

RULES = [*changed_rules().model_dump(mode="json")["rules"], WINE_WAITS]
OWED = changed_rules(returns={"withhold": True}, rules=RULES)
REFUSED = changed_rules(
    returns={"claw_back": "refuse", "withhold": True},
    rules=RULES,
    version=2,
    effective_from=datetime(2026, 10, 1, tzinfo=UTC),
)
OWED_AT = datetime(2026, 9, 1, 12, tzinfo=UTC)
numbers = count(1)


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, OWED, REFUSED) as accrual:
        yield accrual


@pytest.fixture
async def anna(accrual: Accrual) -> UUID:
    return await joined(accrual)


async def bought_and_spent(
    accrual: Accrual, owner: UUID, at: datetime = OWED_AT, lines: tuple[PurchaseLine, ...] = (line(1, 1000),)
) -> PurchaseRecorded:
    """Ten dollars gave ten points that can be spent, and eight of them are gone."""
    sale = purchase(next(numbers), lines, owner=owner, occurred_at=at)
    await accrual.award(sale)
    async with accrual.database.transaction() as transaction:
        await post(transaction, [SpendLate(owner, "points", sale.data.receipt_id.encode(), 8, "fuel")])
    await accrual.drain()
    return sale


def back(sale: PurchaseRecorded, thousandths: dict[int, int], withheld: int | None = None) -> ReturnRecorded:
    """A return for whose lacking points, so many, a cent each was kept."""
    event = return_of(sale, next(numbers), thousandths)
    kept = None if withheld is None else Withheld(points=withheld, amount_minor=withheld)
    return event.model_copy(update={"data": event.data.model_copy(update={"withheld": kept})})


@pytest.mark.parametrize("is_one_batch", [True, False])
async def test_what_money_was_kept_for_is_not_taken_and_the_rest_is_owed(
    accrual: Accrual, anna: UUID, is_one_batch: bool
) -> None:
    """Two points are there. Three are withheld of the first five, none of the next three; of the last two all nine."""
    sale = await bought_and_spent(accrual, anna)
    returns = [back(sale, {1: 500}, 3), back(sale, {1: 300}), back(sale, {1: 200}, 9)]
    for batch in [returns] if is_one_batch else [[event] for event in returns]:
        await accrual.award(*batch)
    assert (await accrual.award(*returns)).duplicates == 3  # the whole topic again

    told = [event.data for event in await accrual.drain() if isinstance(event, PointsClawedBack)]
    said = [(data.points, data.became_debt, data.clipped, data.withheld_points, data.partner_id) for data in told]
    assert said == [(2, 0, 0, 3, "grocer"), (3, 3, 0, None, "grocer"), (0, 0, 0, 2, "grocer")]
    assert await accrual.balance(anna) == Balances(debt=3)
    async with accrual.database.transaction() as transaction:
        key = natural_key_of(sale.data.receipt_id)
        rows = await transaction.raw.fetch("select points, withheld from returns where original_key = $1", key)
        taken_back = await transaction.raw.fetchval("select taken_back from awards where natural_key = $1", key)
    assert sorted(tuple(row) for row in rows) == [(0, 2), (2, 3), (3, 0)]
    assert taken_back == 10  # a void finds nothing left
    await accrual.award(void_of(sale, next(numbers)))
    assert await accrual.balance(anna) == Balances(debt=3)


async def test_points_that_came_in_between_are_not_taken_besides_the_money(accrual: Accrual, anna: UUID) -> None:
    sale = await bought_and_spent(accrual, anna)
    seen = await accrual.database.read(
        lambda transaction: preview_return(
            transaction,
            natural_key_of(sale.data.receipt_id),
            [LineAsked(1, 1000)],
            [],
            accrual.rules,
            PROGRAMME,
            accrual.known_tills,
        )
    )
    assert (seen.is_withheld, seen.taken[0].lacking) == (True, 8)
    async with accrual.database.transaction() as transaction:
        terms = LotTerms(issuer="fuel", available_from=OWED_AT.date(), expires_on=None)
        await post(transaction, [Earn(anna, "points", b"more", 20, terms)])

    await accrual.award(back(sale, {1: 1000}, 8))

    assert await accrual.balance(anna) == Balances(available=20)  # two were taken, eight were paid for


async def test_what_waits_is_taken_before_what_money_was_kept_for(accrual: Accrual, anna: UUID) -> None:
    """Wine gave nine points that wait, and three that could be spent: of the thirteen in all eight are gone."""
    goods = (line(1, 1000), line(2, 300, "WINE"))
    sale = await bought_and_spent(accrual, anna, datetime.now(UTC), goods)
    before = await accrual.balance(anna)
    assert (before.available, before.pending) == (5, 9)

    await accrual.award(back(sale, {1: 1000, 2: 1000}, 8))

    assert await accrual.balance(anna) == Balances()
    told = [event.data for event in await accrual.drain() if isinstance(event, PointsClawedBack)]
    assert sorted((data.points, data.withheld_points) for data in told) == [(5, 8), (9, None)]


async def test_a_return_is_not_refused_for_what_money_was_kept_for(accrual: Accrual, anna: UUID) -> None:
    sale = await bought_and_spent(accrual, anna, NOON)

    report = await accrual.award(back(sale, {1: 500}, 2), back(sale, {1: 500}, 3))

    assert (report.refused, report.clawed_back) == ({"points_spent": 1}, 1)
    told = await accrual.drain()
    [taken] = [event.data for event in told if isinstance(event, PointsClawedBack)]
    assert (taken.points, taken.withheld_points) == (2, 3)
    assert len([event for event in told if isinstance(event, ReceiptRefused)]) == 1
    assert await accrual.balance(anna) == Balances()
