"""Points that wait and that money was kept for: they are the member's whatever becomes of the others of their part."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from uuid import UUID

import pytest

from shared.events.purchases import PurchaseRecorded, ReturnRecorded, Withheld
from shared.ledger import Balances
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.databases import FreshDatabase
from tests.support.earning_in_parts import balances
from tests.support.ledger_database import verified
from tests.support.moving_clock import NEW_YORK, MovingClock
from tests.support.pending_points import RULES, bought, numbers, run_releases, told
from tests.support.receipt_moves import moving
from tests.support.receipts import line, return_of, void_of


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULES, zone=NEW_YORK) as accrual:
        yield accrual
        assert (await verified(module_database)).is_sound


@pytest.fixture
async def owner(accrual: Accrual) -> UUID:
    return await joined(accrual)


def back(sale: PurchaseRecorded, thousandths: dict[int, int], withheld: int) -> ReturnRecorded:
    event = return_of(sale, next(numbers), thousandths)
    kept = Withheld(points=withheld, amount_minor=withheld)
    return event.model_copy(update={"data": event.data.model_copy(update={"withheld": kept})})


async def test_what_was_paid_for_does_not_lapse_with_the_rest(
    accrual: Accrual, clock: MovingClock, day: date, owner: UUID
) -> None:
    """Ten points were earned at once, and ten wait. Of the half that comes back all ten were paid for, five of each."""
    sale = await bought(clock, owner, line(1, 1_000, "ORDER"))
    await accrual.award(sale)
    await accrual.award(back(sale, {1: 500}, 10))
    assert await balances(accrual, owner) == Balances(available=10, pending=10)
    await accrual.drain()

    await clock.set_to(day + timedelta(days=4))
    await run_releases(accrual)
    await run_releases(accrual)

    assert await told(accrual) == [("PointsLapsed", "points", 5, 10), ("PointsReleased", "points", 5, 15)]
    assert await balances(accrual, owner) == Balances(available=15)
    await accrual.award(void_of(sale, next(numbers)))
    assert await balances(accrual, owner) == Balances(available=10)  # the half that came back is the member's for good


@pytest.mark.usefixtures("day")
async def test_what_was_paid_for_stays_where_its_receipt_is_moved(
    accrual: Accrual, clock: MovingClock, owner: UUID
) -> None:
    other = await joined(accrual)
    sale = await bought(clock, owner, line(1, 1_000, "ORDER"))
    await accrual.award(sale)
    await accrual.award(back(sale, {1: 500}, 10))
    await accrual.database.run(moving(accrual, sale, owner, other))

    assert await balances(accrual, owner) == Balances(available=10)
    assert await balances(accrual, other) == Balances(available=5, pending=5)
    assert ("PointsReleased", "points", 5, 10) in await told(accrual)
