"""A worker's passes of expiry: day after day, page after page, one worker at a time, with room for live traffic."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial

from services.accrual import metrics
from services.accrual.repository import expired_days
from services.accrual.use_cases.expire_points import expire_page, find_due_day, tell_lapses
from shared.database import Database, Transaction
from shared.kafka.batch_size import BatchSize
from shared.ledger import HeldSince
from shared.ledger.due_lots import LotPlace, Stretch

PAGE_LOTS_MAX = 250
# Of a page, until it is committed. How long the disk takes to write the commit down is told in metrics and sizes no
# page: a disk that stalls lets a small page wait as long as a large one, and only more pages would wait for it.
HOLD_MS_MAX = 25
STRETCH_LOTS_MAX = 5_000  # of lots that turn out to be empty, more are looked at in one statement
PASS_SECONDS = 20.0  # then another worker may have its turn
REST_SHARE = 0.25  # of the time that a page took, while others have the machine
# By then every transaction that began on the day before has ended (``transaction_timeout``).
SETTLED_SECONDS = 10.0


@dataclass(slots=True)
class _Sweep:
    """A day that is being gone through. ``is_final``: nobody can add to its lots any more, so it is done with then."""

    day: date
    is_final: bool
    place: LotPlace
    stretch_lots: int


class ExpiryPasses:
    """Lets points lapse, by day and within a day by account. Nothing is lost with it: what is done shows in the lots.

    Workers take turns: a pass that finds another under way does nothing. A day is gone through as soon as it has come,
    and once more when nobody who began before midnight can still be at work; then it is done with.
    """

    def __init__(
        self, database: Database, size: BatchSize, monotonic_seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._size = size
        self._monotonic_seconds = monotonic_seconds
        self._today: date | None = None
        self._today_since_seconds = 0.0
        self._gone_through: date | None = None
        self._sweep: _Sweep | None = None

    async def run(self) -> None:
        """One pass: everything that is due, or as much as there is time for."""
        async with self._database.statements() as connection:
            if not await expired_days.take_turn(connection):
                return
            try:
                await self._pass()
            finally:
                await expired_days.end_turn(connection)

    async def _pass(self) -> None:
        ends_seconds = self._monotonic_seconds() + PASS_SECONDS
        await self._see_the_day()
        await self._tell_lapses()
        while self._monotonic_seconds() < ends_seconds:
            if self._sweep is None:
                self._sweep = await self._next_sweep()
            if self._sweep is None:
                return
            began_seconds = self._monotonic_seconds()
            await self._page(self._sweep)
            await asyncio.sleep((self._monotonic_seconds() - began_seconds) * REST_SHARE)

    async def _see_the_day(self) -> None:
        async with self._database.transaction() as transaction:
            today = transaction.today
        if today != self._today:
            self._today, self._today_since_seconds = today, self._monotonic_seconds()

    async def _next_sweep(self) -> _Sweep | None:
        is_final = self._monotonic_seconds() - self._today_since_seconds >= SETTLED_SECONDS
        after = None if is_final else self._gone_through
        day = await self._database.run(partial(find_due_day, after=after))
        return None if day is None else _Sweep(day, is_final, LotPlace(), self._size.records)

    async def _page(self, sweep: _Sweep) -> None:
        due_max = self._size.records
        lots_max = max(due_max, sweep.stretch_lots)
        held_since = HeldSince()

        async def work(transaction: Transaction) -> tuple[Stretch, float]:
            stretch = await expire_page(
                transaction, sweep.day, sweep.place, lots_max=lots_max, due_max=due_max, held_since=held_since
            )
            return stretch, held_since.seconds()

        stretch, before_commit_seconds = await self._database.run(work)
        if stretch.due:
            self._size.observe(before_commit_seconds)
        self._observe(held_since)
        if stretch.lots == 0:
            await self._end(sweep)
            return
        sweep.place = stretch.last
        sweep.stretch_lots = due_max if stretch.due else min(lots_max * 2, STRETCH_LOTS_MAX)
        metrics.LOTS_EXPIRED.inc(len(stretch.due))

    async def _tell_lapses(self) -> None:
        told = PAGE_LOTS_MAX
        while told == PAGE_LOTS_MAX:
            held_since = HeldSince()
            told = await self._database.run(partial(tell_lapses, lots_max=PAGE_LOTS_MAX, held_since=held_since))
            self._observe(held_since)
            metrics.LOTS_EXPIRED.inc(told)

    def _observe(self, held_since: HeldSince) -> None:
        if held_seconds := held_since.seconds():
            metrics.EXPIRY_HELD_SECONDS.observe(held_seconds)

    async def _end(self, sweep: _Sweep) -> None:
        self._sweep = None
        self._gone_through = sweep.day
        if sweep.is_final:
            await self._database.run(partial(expired_days.finish, day=sweep.day))
