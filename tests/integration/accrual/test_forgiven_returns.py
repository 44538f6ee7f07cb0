"""A little that returns cannot take is owed by nobody: below a bound, of all that comes back of a purchase."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from uuid import UUID

import pytest

from services.accrual.domain.asked_returns import LineAsked, TakenOfType
from services.accrual.use_cases.preview_return import preview_return
from shared.events.points import PointsClawedBack, ReceiptRefused
from shared.events.purchases import PurchaseEvent, PurchaseRecorded
from shared.ledger import Balances, SpendLate, post
from shared.receipt_key import natural_key_of
from tests.support.accrual import PROGRAMME, Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.databases import FreshDatabase
from tests.support.receipts import (
    NOON,
    changed_rules,
    correction_of,
    exchange_of,
    line,
    purchase,
    return_of,
    void_of,
)

OWED = changed_rules(returns={"forgive_below": 6})
REFUSED = changed_rules(
    returns={"claw_back": "refuse", "forgive_below": 3}, version=2, effective_from=datetime(2026, 10, 1, tzinfo=UTC)
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


async def bought_and_spent(accrual: Accrual, owner: UUID, at: datetime = OWED_AT) -> PurchaseRecorded:
    """Ten dollars gave ten points, and eight of them are gone."""
    sale = purchase(next(numbers), 1000, owner=owner, occurred_at=at)
    await accrual.award(sale)
    async with accrual.database.transaction() as transaction:
        await post(transaction, [SpendLate(owner, "points", sale.data.receipt_id.encode(), 8, "fuel")])
    await accrual.drain()
    return sale


async def foreseen(accrual: Accrual, sale: PurchaseRecorded, thousandths: int) -> TakenOfType:
    previewed = await accrual.database.read(
        lambda transaction: preview_return(
            transaction,
            natural_key_of(sale.data.receipt_id),
            [LineAsked(1, thousandths)],
            [],
            accrual.rules,
            PROGRAMME,
            accrual.known_tills,
        )
    )
    assert previewed.forgive_below == 6
    return previewed.taken[0]


@pytest.mark.parametrize("is_one_batch", [True, False])
async def test_partial_returns_are_forgiven_below_the_bound_and_owed_from_there_on(
    accrual: Accrual, anna: UUID, is_one_batch: bool
) -> None:
    """Two points are there. What lacks is 3, then 5 in all, then 7, which is not below 6 any more, and 8."""
    sale = await bought_and_spent(accrual, anna)
    parts = (500, 200, 200, 100)
    returns: list[PurchaseEvent] = [return_of(sale, next(numbers), {1: part}) for part in parts]
    seen = []
    for part, event in zip(parts, returns, strict=True):
        if not is_one_batch:
            seen.append(await foreseen(accrual, sale, part))
            await accrual.award(event)
    if is_one_batch:
        await accrual.award(*returns)
    assert (await accrual.award(*returns, *returns)).duplicates == 8  # the whole topic again

    told = [event.data for event in await accrual.drain() if isinstance(event, PointsClawedBack)]
    assert [(data.points, data.clipped, data.became_debt) for data in told] == [
        (2, 3, 0),
        (0, 2, 0),
        (2, 0, 2),
        (1, 0, 1),
    ]
    assert [(one.points, one.lacking, one.forgiven) for one in seen] in (
        [],
        [(5, 3, 3), (2, 2, 2), (2, 2, 0), (1, 1, 0)],
    )
    assert await accrual.balance(anna) == Balances(debt=3)


async def test_all_of_it_at_once_is_owed_where_it_is_not_so_little(accrual: Accrual, anna: UUID) -> None:
    sale = await bought_and_spent(accrual, anna)
    assert await foreseen(accrual, sale, 1000) == TakenOfType("points", 10, 0, 8, 0)

    await accrual.award(return_of(sale, next(numbers), {1: 1000}))

    assert await accrual.balance(anna) == Balances(debt=8)


async def test_a_void_and_an_exchange_count_what_lacked_before(accrual: Accrual, anna: UUID) -> None:
    sale = await bought_and_spent(accrual, anna)

    await accrual.award(return_of(sale, next(numbers), {1: 400}), void_of(sale, next(numbers)))
    assert await accrual.balance(anna) == Balances(debt=6)  # of 4 points 2 lacked, of the other 6 all: 8 in all

    other = await bought_and_spent(accrual, anna)  # pays the six, so that two of its ten were left to be spent
    assert await accrual.balance(anna) == Balances()
    exchange = exchange_of(other, next(numbers), {1: 500}, [line(1, 100)])
    await accrual.award(exchange)
    assert await accrual.balance(anna) == Balances()  # it took five, gave one, and four are forgiven
    await accrual.award(return_of(other, next(numbers), {1: 200}))
    assert await accrual.balance(anna) == Balances(debt=2)


async def test_what_a_correction_lacked_counts_and_is_never_forgiven(accrual: Accrual, anna: UUID) -> None:
    """It takes five points and finds two. Two more lack below six in all, and the next one does not."""
    sale = await bought_and_spent(accrual, anna)
    correction = correction_of(sale, next(numbers), 500)
    returns = [return_of(sale, next(numbers), {1: part}) for part in (400, 200)]
    balances = []
    events: list[PurchaseEvent] = [correction, *returns]
    for event in events:
        await accrual.award(event)
        balances.append(await accrual.balance(anna))
    assert (await accrual.award(*events)).duplicates == 3

    assert balances == [Balances(debt=3), Balances(debt=3), Balances(debt=4)]


async def test_a_return_that_lacks_a_little_is_not_refused(accrual: Accrual, anna: UUID) -> None:
    sale = await bought_and_spent(accrual, anna, NOON)

    report = await accrual.award(return_of(sale, next(numbers), {1: 400}), return_of(sale, next(numbers), {1: 100}))

    assert (report.clawed_back, report.refused) == (1, {"points_spent": 1})
    told = await accrual.drain()
    assert [(each.data.points, each.data.clipped) for each in told if isinstance(each, PointsClawedBack)] == [(2, 2)]
    assert len([each for each in told if isinstance(each, ReceiptRefused)]) == 1
    assert await accrual.balance(anna) == Balances()
