"""What the rules of a purchase make of points that a return should take back and that are gone: clipped, or refused."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import pytest

from shared.events.points import PointsClawedBack, ReceiptRefused
from shared.events.purchases import PurchaseRecorded, Tender
from shared.ids import new_id
from shared.ledger import Balances, Capture, Earn, LotTerms, Refund, Reserve, SpendLate, post
from shared.receipt_key import natural_key_of
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.databases import FreshDatabase
from tests.support.receipts import NOON, changed_rules, purchase, return_of, void_of

CLIP = changed_rules(returns={"claw_back": "clip"})
REFUSE = changed_rules(returns={"claw_back": "refuse"}, version=2, effective_from=datetime(2026, 10, 1, tzinfo=UTC))
CLIPPED_AT = datetime(2026, 9, 1, 12, tzinfo=UTC)
numbers = count(1)


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, CLIP, REFUSE) as accrual:
        yield accrual


@pytest.fixture
async def anna(accrual: Accrual) -> UUID:
    return await joined(accrual)


async def bought_and_spent(accrual: Accrual, owner: UUID, spent: int, at: datetime) -> PurchaseRecorded:
    """Ten dollars gave ten points, some of which are gone."""
    sale = purchase(next(numbers), 1000, owner=owner, occurred_at=at)
    await accrual.award(sale)
    tender = sale.data.receipt_id.encode()
    async with accrual.database.transaction() as transaction:
        await post(transaction, [SpendLate(owner, "points", tender, spent, "fuel")])
    await accrual.drain()
    return sale


async def test_a_clipped_return_takes_what_is_there_and_nobody_owes_the_rest(accrual: Accrual, anna: UUID) -> None:
    sale = await bought_and_spent(accrual, anna, 8, CLIPPED_AT)
    first, second = return_of(sale, next(numbers), {1: 500}), return_of(sale, next(numbers), {1: 500})

    await accrual.award(first)
    await accrual.award(purchase(next(numbers), 300, owner=anna, occurred_at=CLIPPED_AT), second)

    told = [event.data for event in await accrual.drain() if isinstance(event, PointsClawedBack)]
    assert [(data.points, data.clipped, data.became_debt) for data in told] == [(2, 3, 0), (3, 2, 0)]
    assert await accrual.balance(anna) == Balances()
    async with accrual.database.transaction() as transaction:
        key = natural_key_of(sale.data.receipt_id)
        rows = await transaction.raw.fetch(
            "select points, clipped from returns where original_key = $1 order by clipped", key
        )
    assert [tuple(row) for row in rows] == [(3, 2), (2, 3)]


async def test_a_return_that_would_make_a_debt_is_refused_and_the_points_stay(accrual: Accrual, anna: UUID) -> None:
    sale = await bought_and_spent(accrual, anna, 8, NOON)
    large, small = return_of(sale, next(numbers), {1: 900}), return_of(sale, next(numbers), {1: 200})
    void, other = void_of(sale, next(numbers)), purchase(next(numbers), 400, owner=anna)

    report = await accrual.award(large, small, void, other)
    again = await accrual.award(large, small, void)

    assert (report.refused, report.clawed_back, report.awarded, again.duplicates) == ({"points_spent": 2}, 1, 1, 3)
    refused = [event.data for event in await accrual.drain() if isinstance(event, ReceiptRefused)]
    assert {data.receipt_id for data in refused} == {large.data.receipt_id, void.data.receipt_id}
    assert await accrual.balance(anna) == Balances(available=4)
    assert (await accrual.award(return_of(sale, next(numbers), {1: 300}))).clawed_back == 1
    assert await accrual.balance(anna) == Balances(available=1)


@pytest.mark.parametrize(("refund_first", "days_late"), [(True, 0), (False, 0), (True, 3)])
@pytest.mark.parametrize("at", [CLIPPED_AT, NOON])
async def test_a_refund_of_the_same_return_covers_nothing_and_nothing_of_it_is_refused(
    accrual: Accrual, anna: UUID, at: datetime, refund_first: bool, days_late: int
) -> None:
    """Twenty points had paid half of the goods, which gave five, and these are spent. Where rules refuse returns, this
    one is clipped: redemption gives its points back. Whichever of the two is first, and as a preview says; also where
    a till had asked for the refund days before it posted the return.
    """
    hold_id = new_id()
    tenders = (Tender(kind="points", amount_minor=500, redemption_id=hold_id), Tender(kind="card", amount_minor=500))
    sale = purchase(next(numbers), 1000, owner=anna, occurred_at=at, tenders=tenders)
    key = natural_key_of(sale.data.receipt_id)
    async with accrual.database.transaction() as transaction:
        lot = LotTerms("fuel", at.date(), None)
        earn, hold = Earn(anna, "points", b"before", 20, lot), Reserve(anna, "points", hold_id.bytes, 20, hold_id)
        await post(transaction, [earn, hold, Capture(anna, "points", key, 20, hold_id, "grocer")])
    await accrual.award(sale)
    async with accrual.database.transaction() as transaction:
        await post(transaction, [SpendLate(anna, "points", b"elsewhere", 5, "fuel")])
    back = return_of(sale, next(numbers), {1: 1000})
    posted_at = datetime.now(UTC) + timedelta(days=days_late)
    back = back.model_copy(update={"data": back.data.model_copy(update={"received_at": posted_at})})

    async def refund() -> None:
        reference = natural_key_of(back.data.receipt_id)
        async with accrual.database.transaction() as transaction:
            await post(transaction, [Refund(anna, "points", reference, 20, hold_id, "grocer")])

    if refund_first:
        await refund()
    (foreseen,) = (await accrual.previewed(back)).taken
    await accrual.drain()
    report = await accrual.award(back)
    if not refund_first:
        await refund()

    (told,) = [event.data for event in await accrual.drain() if isinstance(event, PointsClawedBack)]
    assert (report.clawed_back, told.points, told.clipped, told.became_debt) == (1, 0, 5, 0)
    assert (foreseen.posted.points, foreseen.posted.shortfall) == (0, 5)
    assert await accrual.balance(anna) == Balances(available=20)


async def test_a_void_that_is_refused_leaves_the_receipt_to_what_follows_it(accrual: Accrual, anna: UUID) -> None:
    sale = await bought_and_spent(accrual, anna, 8, NOON)

    report = await accrual.award(void_of(sale, next(numbers)), return_of(sale, next(numbers), {1: 200}))

    assert (report.refused, report.clawed_back) == ({"points_spent": 1}, 1)
    assert await accrual.balance(anna) == Balances()
