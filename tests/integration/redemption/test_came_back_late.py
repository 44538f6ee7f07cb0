"""What comes back after its own last day can be spent some days more, where the programme says so, and lapses then."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, timedelta
from uuid import UUID

import pytest

from services.redemption.use_cases.expire_holds import expire_holds
from services.redemption.use_cases.hold_points import Declined, Held
from services.redemption.use_cases.refund_points import Wanted, refund_points
from services.redemption.use_cases.settle_tenders import settle_tenders
from services.redemption.use_cases.void_hold import void_hold
from services.redemption.use_cases.void_receipts import void_receipts
from shared import ledger
from shared.database import Database, Transaction
from shared.database.roles import role_name
from shared.receipt_key import encode_receipt_key
from tests.support.databases import FreshDatabase
from tests.support.receipts import member
from tests.support.redemption import (
    GROCER,
    PROGRAMME,
    Admin,
    Spending,
    earn,
    paid_with_points,
    tender_of,
    till_receipt,
    void_of,
)
from tests.support.shared_captures import capture_in

ANNA = member(1)
DAYS, DAY_SECONDS = 14, 86_400
FIRST = encode_receipt_key("grocer", till_receipt(1))

_LOTS = "select expires_on, remaining from ledger_lots where remaining > 0 order by expires_on"


@pytest.fixture
async def zoned(spending: Spending, own_database: FreshDatabase) -> AsyncIterator[Spending]:
    """A process that knows the programme's day, and so lets points lapse."""
    database = Database(own_database.url(role_name("redemption")), zone=UTC)
    yield replace(spending, database=database)
    await database.close()


async def lots(spending: Spending) -> dict[date, int]:
    async with spending.database.transaction() as transaction:
        return {row["expires_on"]: row["remaining"] for row in await transaction.raw.fetch(_LOTS)}


Way = Callable[[Transaction, UUID], Awaitable[object]]


async def by_void(transaction: Transaction, redemption_id: UUID) -> None:
    await void_hold(transaction, GROCER, redemption_id, "points", came_back_days=DAYS)


async def by_end(transaction: Transaction, _: UUID) -> None:
    await expire_holds(transaction, transaction.now, came_back_days=DAYS)


async def by_smaller_capture(transaction: Transaction, redemption_id: UUID) -> None:
    await capture_in(transaction, GROCER, redemption_id, till_receipt(2), 30, more=False, came_back_days=DAYS)


async def by_smaller_receipt(transaction: Transaction, redemption_id: UUID) -> None:
    tender = tender_of(paid_with_points(2, 30, redemption_id, owner=ANNA))
    await settle_tenders(transaction, [tender], PROGRAMME.pricing, came_back_days=DAYS)


async def by_voided_receipt(transaction: Transaction, _: UUID) -> None:
    await void_receipts(transaction, [void_of(FIRST)], came_back_days=DAYS)


async def by_refund(transaction: Transaction, redemption_id: UUID) -> None:
    wanted = Wanted(till_receipt(1), till_receipt(2), points=60)
    await refund_points(transaction, GROCER, redemption_id, wanted, replace(PROGRAMME, came_back_days=DAYS))


@pytest.mark.parametrize(
    ("way", "points"),
    [
        (by_void, 100),
        (by_end, 100),
        (by_smaller_capture, 70),
        (by_smaller_receipt, 70),
        (by_voided_receipt, 100),
        (by_refund, 60),
    ],
)
async def test_it_lives_so_many_days_more_from_the_day_on_which_it_came_back(
    zoned: Spending, admin: Admin, way: Way, points: int
) -> None:
    today = (await zoned.now()).date()
    await zoned.enrol(ANNA)
    earned = [earn(ANNA, 100, today + timedelta(days=2)), earn(ANNA, 50, today + timedelta(days=90))]
    await zoned.do(lambda transaction: ledger.post(transaction, earned))
    redemption_id = (await zoned.held(ANNA, 100, seconds=3 * DAY_SECONDS)).redemption_id
    if way in (by_voided_receipt, by_refund):
        await zoned.capture(redemption_id, 1)
    came_back_on = (await zoned.advance(admin, timedelta(days=5))).date()

    await zoned.do(lambda transaction: way(transaction, redemption_id))

    last = came_back_on + timedelta(days=DAYS)
    assert await lots(zoned) == {last: points, today + timedelta(days=90): 50}
    await zoned.advance(admin, timedelta(days=DAYS - 1))
    assert isinstance(await zoned.hold(ANNA, 1), Held)
    assert (await zoned.balance(ANNA)).available == points + 49
    await zoned.advance(admin, timedelta(days=1))
    assert (await zoned.balance(ANNA)).available == 50
    assert isinstance(await zoned.hold(ANNA, 51), Declined)


async def test_what_is_owed_is_paid_first_and_what_is_in_time_keeps_its_day(zoned: Spending, admin: Admin) -> None:
    today = (await zoned.now()).date()
    await zoned.enrol(ANNA)
    soon, later = today + timedelta(days=2), today + timedelta(days=90)
    await zoned.do(lambda transaction: ledger.post(transaction, [earn(ANNA, 100, soon), earn(ANNA, 50, later)]))
    redemption_id = (await zoned.held(ANNA, 150, seconds=3 * DAY_SECONDS)).redemption_id
    owed = ledger.ClawBack(ANNA, "points", b"owed", 30, earn(ANNA, 1).terms, b"award")
    await zoned.do(lambda transaction: ledger.post(transaction, [owed]))
    came_back_on = (await zoned.advance(admin, timedelta(days=5))).date()

    await zoned.do(lambda transaction: by_void(transaction, redemption_id))

    balance = await zoned.balance(ANNA)
    assert (balance.available, balance.debt) == (120, 0)
    assert await lots(zoned) == {came_back_on + timedelta(days=DAYS): 70, later: 50}
