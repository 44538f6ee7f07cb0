"""Points of the inactive lapse on the real tables: at midnight, exact beside what is posted, told ahead, resumable."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.accrual.domain.rules import RuleSet, RuleSetHistory
from services.accrual.use_cases import expire_idle
from services.accrual.use_cases.expire_idle import expire_idle_page, tell_idle_page
from services.accrual.use_cases.pass_idle import IdlePasses
from shared.database import Database, Transaction
from shared.database.roles import role_name
from shared.events.catalogue import PURCHASES
from shared.events.expiry import PointsExpired, PointsExpiring
from shared.events.purchases import PurchaseEvent
from shared.ids import new_id
from shared.kafka.batch_size import BatchSize
from shared.ledger import (
    AdjustUp,
    Capture,
    Command,
    Earn,
    HeldSince,
    LotTerms,
    Refund,
    Release,
    Reserve,
    Suspend,
    Void,
    merge,
    post,
    save_posted_to,
)
from tests.support.accrual import PROGRAMME, Accrual
from tests.support.accrual_members import new_member
from tests.support.databases import FreshDatabase
from tests.support.interleaving import interleave
from tests.support.ledger_database import posted, verified
from tests.support.moving_clock import NEW_YORK, MovingClock
from tests.support.receipts import correction_of, enrolled, exchange_of, purchase, void_of
from tests.support.rule_sets import rules_document

TEN_DAYS = {"days": 10, "activities": ["purchase", "redemption"]}


def with_inactivity(policy: dict[str, Any]) -> RuleSetHistory:
    """One rule set, in force for long."""
    since = {"version": 1, "effective_from": datetime(2020, 1, 1, tzinfo=UTC)}
    return RuleSetHistory([RuleSet.model_validate(rules_document() | since | {"inactivity": policy})])


HISTORY = with_inactivity(TEN_DAYS)
numbers = count(1)
_days_ahead = count(2, 40)  # of each test's own, later than those before: business time never runs backwards


class Clock(MovingClock):
    """Moved by days after a test's first one."""

    def __init__(self, admin: asyncpg.Connection, first: date) -> None:
        super().__init__(admin)
        self.first = first

    async def to(self, days: int, at: time = time(12)) -> date:
        day = self.first + timedelta(days=days)
        await self.set_to(day, at)
        return day


@pytest.fixture
async def clock(module_database: FreshDatabase) -> AsyncIterator[Clock]:
    admin = await asyncpg.connect(module_database.admin_url)
    clock = Clock(admin, datetime.now(NEW_YORK).date() + timedelta(days=next(_days_ahead)))
    await clock.to(0)
    yield clock
    await admin.close()


@pytest.fixture
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    accrual = Accrual(Database(module_database.url(role_name("accrual")), zone=NEW_YORK))
    await accrual.drain()
    yield accrual
    await accrual.database.close()


def bought(owner: UUID, points: int, day: date) -> Earn:
    return Earn(owner, "points", b"receipt", points, LotTerms("grocer", day, None))


async def sweep(accrual: Accrual, history: RuleSetHistory | None = None, *, is_dense: bool = False) -> int:
    """All of today's accounts; how many pages it took."""
    pages = 0
    while await accrual.database.run(
        lambda transaction: expire_idle_page(transaction, history or HISTORY, PROGRAMME, HeldSince(), is_dense=is_dense)
    ):
        pages += 1
    return pages


async def lapsed(accrual: Accrual, owner: UUID) -> list[tuple[int, date, str | None, int]]:
    """What was told of a member: points, day, why, and what is available then."""
    events = [event.data for event in await accrual.drain() if isinstance(event, PointsExpired)]
    return [
        (data.points, data.expires_on, data.because, data.balance.available)
        for data in events
        if data.member_id == owner
    ]


async def test_points_lapse_at_the_midnight_after_the_last_day_and_once(
    accrual: Accrual, clock: Clock, module_database: FreshDatabase
) -> None:
    owner = new_id()
    dated = Earn(owner, "points", b"r", 5, LotTerms("fuel", clock.first, clock.first + timedelta(days=300)))
    await posted(accrual.database, bought(owner, 60, clock.first), dated)

    await clock.to(9, time(23, 59, 59))
    await sweep(accrual)
    assert (await accrual.balance(owner)).available == 65
    day = await clock.to(10, time(0, 0, 20))
    await sweep(accrual)
    assert await lapsed(accrual, owner) == [(65, day, "inactivity", 0)]

    await sweep(accrual)
    await clock.to(11)
    await sweep(accrual)
    assert await lapsed(accrual, owner) == []
    assert (await verified(module_database)).findings == ()


async def test_what_members_do_keeps_all_points_and_what_was_given_to_them_does_not(
    accrual: Accrual, tills: Database, clock: Clock
) -> None:
    buyer, spender, voider, given = (new_id() for _ in range(4))
    await posted(accrual.database, *(bought(owner, 50, clock.first) for owner in (buyer, spender, voider, given)))
    day, hold_id, voided = await clock.to(5), uuid4(), uuid4()
    await posted(accrual.database, bought(buyer, 1, day))
    goodwill = AdjustUp(given, "points", b"adjustment", 7, LotTerms("~programme", day, None, "compensation"))
    await posted(accrual.database, goodwill)
    await posted(tills, Reserve(spender, "points", b"h", 20, hold_id), Reserve(voider, "points", b"h", 20, voided))
    await posted(tills, Capture(spender, "points", b"c", 20, hold_id, "fuel"), Void(voider, "points", b"v", voided))

    await clock.to(10)
    await sweep(accrual)
    left = [(await accrual.balance(owner)).available for owner in (buyer, spender, voider, given)]
    assert left == [51, 30, 0, 7]  # points that are younger than ten days stay for themselves

    await clock.to(15)
    await sweep(accrual)
    assert [(await accrual.balance(owner)).available for owner in (buyer, spender, given)] == [0, 0, 0]


async def test_what_came_back_stays_as_long_as_if_it_were_new(accrual: Accrual, tills: Database, clock: Clock) -> None:
    """Fraud kept it, or a partner had it until the receipt was voided: nobody could spend it meanwhile."""
    suspect, refunded, hold_id = new_id(), new_id(), uuid4()
    terms, other = LotTerms("grocer", clock.first, None), LotTerms("hotel", clock.first, None)
    earned = [Earn(owner, "points", b"r", 50, each) for owner in (suspect, refunded) for each in (terms, other)]
    await posted(accrual.database, *earned, Suspend(suspect, "points", b"r", 50, terms, b"r"))
    await posted(tills, Reserve(refunded, "points", b"h", 20, hold_id))
    await posted(tills, Capture(refunded, "points", b"c", 20, hold_id, "fuel"))
    await clock.to(12)
    await posted(accrual.database, Release(suspect, "points", b"r", terms, b"r"))
    await posted(tills, Refund(refunded, "points", b"v", 20, hold_id, "fuel"))
    purchases_only = with_inactivity({"days": 10, "activities": ["purchase"]})

    async def left_on(days: int) -> list[int]:
        await clock.to(days, time(13))
        await sweep(accrual, purchases_only)
        return [(await accrual.balance(owner)).available for owner in (suspect, refunded)]

    assert await left_on(12) == [50, 50]  # the others' time was over
    tell = partial(tell_idle_page, history=purchases_only, programme=PROGRAMME, days=10, later_days=0)
    while await accrual.database.run(tell):
        pass
    events = [event.data for event in await accrual.drain() if isinstance(event, PointsExpiring)]
    lapses = clock.first + timedelta(days=22)
    assert [(data.points, data.expires_on) for data in events if data.member_id == suspect] == [(50, lapses)]
    assert await left_on(21) == [50, 50]
    assert await left_on(22) == [0, 0]


async def test_what_puts_a_receipt_right_is_nothing_that_its_member_did(
    accrual: Accrual, clock: Clock, module_database: FreshDatabase
) -> None:
    """A correction that gives more, and the void of an exchange, a day before the time is over."""
    await accrual.begin()
    shopper, swapper, later = (new_member() for _ in range(3))
    await accrual.members(*(enrolled(owner) for owner in (shopper, swapper, later)))
    at = datetime.combine(clock.first, time(12), NEW_YORK)
    sale, swapped, nothing = (
        purchase(next(numbers), amount, owner=owner, occurred_at=at)
        for owner, amount in ((shopper, 5_000), (swapper, 5_000), (later, 50))
    )
    exchange = exchange_of(swapped, next(numbers), {1: 400}, 700)
    await award(accrual, at, sale, swapped, nothing)
    others = LotTerms("hotel", clock.first, None)
    await posted(accrual.database, *(Earn(owner, "points", b"r", 6, others) for owner in (swapper, later)))
    await clock.to(3)
    await award(accrual, at, exchange)
    await clock.to(9)
    for document in (
        correction_of(sale, next(numbers), 6_000),
        correction_of(nothing, next(numbers), 300),
        void_of(exchange, next(numbers)),
    ):
        await award(accrual, at, document)

    async def left_on(days: int) -> list[int]:
        await clock.to(days)
        await sweep(accrual)
        return [(await accrual.balance(owner)).available for owner in (shopper, swapper, later)]

    # What a correction gives goes with its receipt; one that gives the first points of a receipt is its purchase.
    assert await left_on(10) == [0, 50 + 6, 3 + 6]  # goods were exchanged on the fourth day
    assert await left_on(13) == [0, 50, 3 + 6]  # the void gave back to a lot that is as young as that
    assert await left_on(19) == [0, 0, 0]
    assert (await verified(module_database)).findings == ()


async def award(accrual: Accrual, at: datetime, *events: PurchaseEvent) -> None:
    """Documents that their door took then."""
    await accrual.award(
        *(event.model_copy(update={"data": event.data.model_copy(update={"received_at": at})}) for event in events)
    )


@pytest.mark.parametrize("is_dense", [False, True])
async def test_who_buys_while_the_page_is_gone_through_keeps_all(
    accrual: Accrual, clock: Clock, is_dense: bool
) -> None:
    owner = new_id()
    await posted(accrual.database, bought(owner, 50, clock.first))
    day = await clock.to(10)

    async def buy(transaction: Transaction) -> None:
        await post(transaction, [bought(owner, 5, day)])

    async def page(transaction: Transaction) -> None:
        await expire_idle_page(transaction, HISTORY, PROGRAMME, HeldSince(), is_dense=is_dense)

    await interleave(accrual.database, buy, page)

    assert (await accrual.balance(owner)).available == 55


async def test_what_a_merged_member_did_counts_for_the_survivor(accrual: Accrual, clock: Clock) -> None:
    survivor, gone = new_id(), new_id()
    await posted(accrual.database, bought(survivor, 50, clock.first))
    await posted(accrual.database, bought(gone, 10, await clock.to(6)))
    async with accrual.database.transaction() as transaction:
        await merge(transaction, gone, survivor)

    await clock.to(10)
    await sweep(accrual, is_dense=True)
    assert (await accrual.balance(survivor)).available == 60
    await clock.to(16)
    await sweep(accrual, is_dense=True)
    assert (await accrual.balance(survivor)).available == 0


async def test_a_worker_may_end_at_any_page_and_an_outage_is_caught_up(
    accrual: Accrual, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expire_idle, "OWNERS_LOCKED_MAX", 1)
    owners = [new_id() for _ in range(3)]
    commands: list[Command] = [bought(owner, 50, clock.first) for owner in owners]
    await posted(accrual.database, *commands)
    await clock.to(12)

    class KilledError(Exception):
        """What befalls a worker before its commit."""

    async def killed(transaction: Transaction) -> None:
        await expire_idle_page(transaction, HISTORY, PROGRAMME, HeldSince())
        raise KilledError

    with pytest.raises(KilledError):
        await accrual.database.run(killed)
    assert await sweep(accrual) > len(owners)

    day = clock.first + timedelta(days=12)
    events = [event.data for event in await accrual.drain() if isinstance(event, PointsExpired)]
    assert sorted((data.member_id, data.points, data.expires_on) for data in events if data.member_id in owners) == [
        (owner, 50, day) for owner in sorted(owners)
    ]


async def test_members_are_told_ahead_once_for_each_notice_and_again_for_another_day(
    accrual: Accrual, clock: Clock
) -> None:
    owner = new_id()
    await posted(accrual.database, bought(owner, 50, clock.first))

    async def told() -> list[tuple[int, date, int]]:
        for days, later in ((3, 0), (7, 3)):
            tell = partial(tell_idle_page, history=HISTORY, programme=PROGRAMME, days=days, later_days=later)
            while await accrual.database.run(tell):
                pass
        events = [event.data for event in await accrual.drain() if isinstance(event, PointsExpiring)]
        return [(data.points, data.expires_on, data.days) for data in events if data.member_id == owner]

    lapses = clock.first + timedelta(days=10)
    assert await told() == []  # ten days ahead
    await clock.to(3)
    assert await told() == [(50, lapses, 7)]
    await clock.to(4)
    assert await told() == []
    await clock.to(8)  # the seventh was missed
    assert await told() == [(50, lapses, 3)]

    await posted(accrual.database, bought(owner, 1, clock.first + timedelta(days=8)))
    await clock.to(15)
    assert await told() == [(51, clock.first + timedelta(days=18), 3)]


async def test_no_day_begins_before_the_receipts_of_the_day_before_are_read(
    accrual: Accrual, tills: Database, clock: Clock
) -> None:
    owner = new_id()
    await posted(accrual.database, bought(owner, 50, clock.first))
    day = await clock.to(10)
    accrual.rules.history = HISTORY
    passes = IdlePasses(accrual.database, PROGRAMME, accrual.rules, (7,), partitions=1, size=BatchSize(100))

    async def read_until(at: time) -> None:
        async with accrual.database.transaction() as transaction:
            await transaction.raw.execute(
                "insert into read_to (topic, partition, next_offset, at) values ($1, 0, 1, $2)"
                " on conflict (topic, partition) do update set at = excluded.at",
                PURCHASES.topic,
                datetime.combine(day, at, NEW_YORK),
            )

    await passes.run()
    await read_until(time(0, 0, 5))
    await passes.run()
    assert (await accrual.balance(owner)).available == 50

    await read_until(time(0, 0, 11))
    await say_posted_to(tills, datetime.combine(day, time(0, 0, 5), NEW_YORK))
    await passes.run()
    assert (await accrual.balance(owner)).available == 50  # a receipt that takes points may not have been read there

    await say_posted_to(tills, datetime.combine(day, time(0, 0, 11), NEW_YORK))
    await say_posted_to(tills, datetime.combine(day, time(0, 0, 9), NEW_YORK))  # of a worker that slept
    await passes.run()
    assert (await accrual.balance(owner)).available == 0


async def say_posted_to(tills: Database, at: datetime) -> None:
    await tills.run(lambda transaction: save_posted_to(transaction, "redemption", at))


async def test_what_ends_by_its_own_day_before_is_not_told_of_again(accrual: Accrual, clock: Clock) -> None:
    owner = new_id()
    own_day = clock.first + timedelta(days=6)
    await posted(accrual.database, Earn(owner, "points", b"r", 50, LotTerms("grocer", clock.first, own_day)))
    await clock.to(3)
    tell = partial(tell_idle_page, history=HISTORY, programme=PROGRAMME, days=7, later_days=0)
    while await accrual.database.run(tell):
        pass
    events = [event.data for event in await accrual.drain() if isinstance(event, PointsExpiring)]
    assert [(data.points, data.expires_on) for data in events if data.member_id == owner] == []
