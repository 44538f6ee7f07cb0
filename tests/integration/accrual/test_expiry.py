"""Points expire on the real tables: at midnight, page by page, beside other workers and after an outage."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.accrual.repository import expired_days
from services.accrual.use_cases import pass_expiry
from services.accrual.use_cases.expire_points import expire_page
from services.accrual.use_cases.pass_expiry import SETTLED_SECONDS, ExpiryPasses
from services.accrual.use_cases.pass_notices import NoticePasses
from services.redemption.domain.statement import describe, fold_transfers
from services.redemption.repository.statement import load_balances_by_type
from shared.database import Database, Transaction
from shared.database.roles import role_name
from shared.events.expiry import PointsExpired, PointsExpiring
from shared.ids import new_id
from shared.kafka.batch_size import BatchSize
from shared.ledger import Balances, Earn, LotTerms, Refused, Reserve, Void, load_balances, load_statement
from shared.ledger.due_lots import Stretch
from tests.support.accrual import Accrual
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import posted, verified
from tests.support.moving_clock import NEW_YORK, MovingClock

_days_ahead = count(1, 10)


class Clock(MovingClock):
    """Also the time that passes for a worker, moved by hand."""

    def __init__(self, admin: asyncpg.Connection) -> None:
        super().__init__(admin)
        self.monotonic_seconds = 0.0


@pytest.fixture
async def clock(module_database: FreshDatabase) -> AsyncIterator[Clock]:
    admin = await asyncpg.connect(module_database.admin_url)
    yield Clock(admin)
    await admin.close()


@pytest.fixture
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    accrual = Accrual(Database(module_database.url(role_name("accrual")), zone=NEW_YORK))
    await accrual.drain()
    yield accrual
    await accrual.database.close()


@pytest.fixture
def day() -> date:
    """A day of this test's own, later than those of the tests before it: business time never runs backwards."""
    return datetime.now(UTC).date() + timedelta(days=next(_days_ahead))


def passes(accrual: Accrual, clock: Clock, *, lots: int = 100) -> ExpiryPasses:
    return ExpiryPasses(accrual.database, BatchSize(lots), lambda: clock.monotonic_seconds)


def earn(owner: UUID, points: int, expires_on: date, issuer: str = "grocer") -> Earn:
    return Earn(owner, "points", b"receipt", points, LotTerms(issuer, date(2026, 1, 1), expires_on))


async def told(accrual: Accrual) -> list[tuple[UUID, int, date, dict[str, int], int]]:
    """Member, points, day, issuers, and what is available then, of what was published."""
    events = [event.data for event in await accrual.drain() if isinstance(event, PointsExpired)]
    return [
        (
            data.member_id,
            data.points,
            data.expires_on,
            {part.issuer: part.points for part in data.by_issuer},
            data.balance.available,
        )
        for data in events
    ]


async def test_points_lapse_at_midnight_where_the_programme_is(
    accrual: Accrual, tills: Database, clock: Clock, day: date, module_database: FreshDatabase
) -> None:
    """From the first second on nobody can spend them; the job tells each member once, and the statement says so."""
    anna, bert, hold = new_id(), new_id(), new_id()
    await clock.set_to(day - timedelta(days=1), time(23, 58))
    await posted(
        accrual.database,
        earn(anna, 30, day),
        earn(anna, 12, day, "fuel"),
        earn(anna, 5, day + timedelta(days=90)),
        earn(bert, 50, day),
    )
    await passes(accrual, clock).run()
    assert await told(accrual) == []
    await posted(tills, Reserve(bert, "points", hold.bytes, 20, hold))

    await clock.set_to(day, time(0, 0))
    async with tills.transaction() as transaction:  # before the job came by
        assert await load_balances(transaction, [anna, bert], "points") == {
            anna: Balances(available=5),
            bert: Balances(held=20),
        }
        assert await load_balances_by_type(transaction, anna) == {"points": Balances(available=5)}
    [refused] = await posted(tills, Reserve(anna, "points", b"r", 6, new_id()))
    assert isinstance(refused, Refused)
    assert refused.balance == Balances(available=5)

    await passes(accrual, clock).run()
    assert sorted(await told(accrual)) == sorted(
        [(anna, 42, day, {"grocer": 30, "fuel": 12}, 5), (bert, 30, day, {"grocer": 30}, 0)]
    )
    await posted(tills, Void(bert, "points", hold.bytes, hold))  # what comes back from the hold lapses with it
    await passes(accrual, clock).run()
    assert await told(accrual) == [(bert, 20, day, {"grocer": 20}, 0)]
    async with tills.transaction() as transaction:
        lines = await load_statement(transaction, bert, "points")
    assert [describe(movement, None) for movement in fold_transfers(lines)] == [
        "20 points expired",
        "20 points reserved and not needed are available again",
        "30 points expired",
        "Reserved 20 points for a checkout",
        "Earned 50 points",
    ]
    assert (await verified(module_database)).is_sound


async def test_workers_side_by_side_expire_every_lot_once(
    accrual: Accrual, clock: Clock, day: date, module_database: FreshDatabase
) -> None:
    members = [new_id() for _ in range(30)]
    await clock.set_to(day - timedelta(days=1), time(12))
    await posted(accrual.database, *(earn(member, 3, day) for member in members))
    await clock.set_to(day, time(1))
    await asyncio.gather(*(passes(accrual, clock, lots=4).run() for _ in range(3)))
    assert sorted(await told(accrual)) == sorted((member, 3, day, {"grocer": 3}, 0) for member in members)
    assert (await verified(module_database)).is_sound


async def test_a_worker_that_dies_between_pages_leaves_the_rest_to_the_next(
    accrual: Accrual, clock: Clock, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [new_id() for _ in range(6)]
    await clock.set_to(day - timedelta(days=1), time(12))
    await posted(accrual.database, *(earn(member, 3, day) for member in members))
    await clock.set_to(day, time(1))

    class KilledError(Exception):
        pass

    pages = iter(range(10))

    async def killed_in_the_second_page(transaction: Transaction, *asked: Any, **bounds: Any) -> Stretch:
        stretch = await expire_page(transaction, *asked, **bounds)
        if stretch.due and next(pages) > 0:
            raise KilledError
        return stretch

    with monkeypatch.context() as patched:
        patched.setattr(pass_expiry, "expire_page", killed_in_the_second_page)
        with pytest.raises(KilledError):
            await passes(accrual, clock, lots=2).run()
    first = await told(accrual)
    assert len(first) == 2
    await passes(accrual, clock, lots=2).run()
    assert sorted(first + await told(accrual)) == sorted((member, 3, day, {"grocer": 3}, 0) for member in members)


async def test_an_outage_of_days_is_made_up_for_in_their_order_and_each_day_ends_once_nobody_is_late(
    accrual: Accrual, clock: Clock, day: date, module_database: FreshDatabase
) -> None:
    days = [day + timedelta(days=number) for number in (0, 1, 3)]
    anna = new_id()
    await clock.set_to(day - timedelta(days=1), time(12))
    await posted(accrual.database, *(earn(anna, 10, each) for each in reversed(days)))
    await clock.set_to(days[-1], time(8))
    worker = passes(accrual, clock)
    await worker.run()
    assert [(points, lapsed_on) for _, points, lapsed_on, *_ in await told(accrual)] == [(10, each) for each in days]

    async def finished() -> date:
        async with accrual.database.transaction() as transaction:
            return await expired_days.load_finished(transaction)

    assert await finished() < days[0]  # somebody who began before midnight may still add to a lot
    late = Accrual(Database(module_database.url(role_name("accrual"))))  # one whose clock stands: it knows no day
    await posted(late.database, earn(anna, 4, days[0]))
    await late.database.close()
    clock.monotonic_seconds += SETTLED_SECONDS
    await worker.run()
    assert [(points, lapsed_on) for _, points, lapsed_on, *_ in await told(accrual)] == [(4, days[0])]
    assert await finished() == days[-1]


async def test_members_are_told_ahead_once_for_each_day_and_notice(accrual: Accrual, clock: Clock, day: date) -> None:
    """Also by workers side by side, after an outage, and though there is nothing left by the next notice."""
    anna, bert, later = new_id(), new_id(), day + timedelta(days=200)
    await clock.set_to(day, time(12))
    await posted(accrual.database, earn(anna, 30, later), earn(anna, 5, later, "fuel"), earn(bert, 20, later))

    async def told_on(today: date) -> list[tuple[UUID, int, date, int]]:
        await clock.set_to(today, time(0, 1))
        await asyncio.gather(*(NoticePasses(accrual.database, (7, 30)).run() for _ in range(2)))
        data = [event.data for event in await accrual.drain() if isinstance(event, PointsExpiring)]
        return sorted((one.member_id, one.points, one.expires_on, one.days) for one in data if one.expires_on == later)

    assert await told_on(later - timedelta(days=31)) == []
    assert await told_on(later - timedelta(days=30)) == sorted([(anna, 35, later, 30), (bert, 20, later, 30)])
    assert await told_on(later - timedelta(days=29)) == []
    await posted(accrual.database, Reserve(bert, "points", b"r", 20, new_id()))
    assert await told_on(later - timedelta(days=5)) == [(anna, 35, later, 7)]  # nobody was there two days before
    assert await told_on(later - timedelta(days=4)) == []


async def test_who_was_away_hears_the_nearest_notice_alone(accrual: Accrual, clock: Clock, day: date) -> None:
    anna, expires_on = new_id(), day + timedelta(days=320)
    await posted(accrual.database, earn(anna, 30, expires_on))
    await clock.set_to(expires_on - timedelta(days=3), time(9))
    await NoticePasses(accrual.database, (30, 7)).run()
    events = [event.data for event in await accrual.drain() if isinstance(event, PointsExpiring)]
    assert [(one.days, one.points) for one in events if one.member_id == anna] == [(7, 30)]
