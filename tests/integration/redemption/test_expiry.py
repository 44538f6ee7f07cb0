"""Holds expire by business time, but never before the receipts that could capture them have been read."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.redemption.domain.redemption import State
from services.redemption.timers import Timers
from shared import ledger
from shared.database import Transaction, read_to
from shared.events.catalogue import PURCHASES
from shared.events.redemptions import RedemptionExpired
from shared.kafka import ReadPosition
from tests.support.receipts import member
from tests.support.redemption import PROGRAMME, Admin, Spending, held_open, paid_with_points, tender_of

ANNA = member(1)
PARTITIONS = 2


async def read_purchases_to(spending: Spending, *ats: datetime | None) -> None:
    """Our consumer has read its partitions so far."""
    positions = [ReadPosition(PURCHASES.topic, partition, next_offset=1, at=at) for partition, at in enumerate(ats)]

    async def work(transaction: Transaction) -> None:
        await read_to.save(transaction, positions)

    await spending.do(work)


async def test_expiry_waits_until_every_partition_has_been_read_to_the_holds_end(
    spending: Spending, admin: Admin
) -> None:
    await spending.enrol(ANNA, 1000)
    redemption = await spending.held(ANNA, 400, seconds=60)
    assert redemption.expires_at is not None
    await spending.drain()
    now = await spending.advance(admin, timedelta(hours=1))
    timers = Timers(spending.database, replace(PROGRAMME, topic_partitions=PARTITIONS))

    await timers.expire()  # nobody reads yet
    await read_purchases_to(spending, now)
    await timers.expire()  # one partition was never read
    await read_purchases_to(spending, now, redemption.expires_at - timedelta(microseconds=1))
    await timers.expire()  # the other lags behind the hold's end
    assert (await spending.redemption(redemption.redemption_id)).state is State.HELD
    lagging = await spending.do(lambda transaction: ledger.find_posted_to(transaction, "redemption"))
    await read_purchases_to(spending, now, redemption.expires_at)
    await timers.expire()

    # What lapses elsewhere for want of activity waits for the same.
    assert lagging == redemption.expires_at - timedelta(microseconds=1)
    said = await spending.do(lambda transaction: ledger.find_posted_to(transaction, "redemption"))
    assert said == redemption.expires_at

    assert (await spending.redemption(redemption.redemption_id)).state is State.EXPIRED
    assert (await spending.balance(ANNA)).available == 1000
    (event,) = await spending.drain()
    assert isinstance(event, RedemptionExpired)
    assert event.data.points == 400
    await spending.check([ANNA], 1000)


async def test_a_hold_does_not_expire_before_its_time(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    redemption = await spending.held(ANNA, 400)

    assert await spending.expire(await spending.now() + timedelta(days=1)) == 0
    assert (await spending.redemption(redemption.redemption_id)).state is State.HELD


async def test_a_receipt_that_was_read_in_time_keeps_its_hold(spending: Spending, admin: Admin) -> None:
    await spending.enrol(ANNA, 1000)
    redemption = await spending.held(ANNA, 400, seconds=60)
    now = await spending.advance(admin, timedelta(hours=1))

    await spending.settle(tender_of(paid_with_points(1, 400, redemption.redemption_id, owner=ANNA)))

    assert await spending.expire(now) == 0
    assert (await spending.balance(ANNA)).available == 600


async def test_a_receipt_after_the_expiry_takes_late(spending: Spending, admin: Admin) -> None:
    await spending.enrol(ANNA, 1000)
    redemption = await spending.held(ANNA, 400, seconds=60)
    now = await spending.advance(admin, timedelta(hours=1))
    assert await spending.expire(now) == 1

    report = await spending.settle(tender_of(paid_with_points(1, 400, redemption.redemption_id, owner=ANNA)))

    assert report.outcomes == {"late": 1}
    assert (await spending.redemption(redemption.redemption_id)).state is State.CAPTURED
    await spending.check([ANNA], 1000)


async def test_a_partly_captured_hold_gives_back_what_is_left(spending: Spending, admin: Admin) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 400, seconds=60)).redemption_id
    await spending.capture(redemption_id, 1, 150, more=True)
    now = await spending.advance(admin, timedelta(hours=1))

    assert await spending.expire(now) == 1

    redemption = await spending.redemption(redemption_id)
    assert (redemption.state, redemption.captured_points, redemption.open_points) == (State.EXPIRED, 150, 0)
    assert (await spending.balance(ANNA)).available == 850
    await spending.check([ANNA], 1000)


async def test_many_holds_expire_page_by_page_around_those_in_use(spending: Spending, admin: Admin) -> None:
    members = [member(number) for number in range(1, 6)]
    for owner in members:
        await spending.enrol(owner, 1000)
    holds = [await spending.held(owner, 10 + number, seconds=60) for number in range(5) for owner in members]
    now = await spending.advance(admin, timedelta(hours=1))

    async with held_open(spending.database) as transaction:
        await transaction.raw.execute(
            "select from redemptions where redemption_id = $1 for no key update", holds[0].redemption_id
        )
        pages = [await spending.expire(now, rows_max=10) for _ in range(4)]

    assert pages == [10, 10, 4, 0]
    assert await spending.expire(now, rows_max=10) == 1
    assert all([(await spending.balance(owner)).held == 0 for owner in members])
    await spending.check(members, 1000)
