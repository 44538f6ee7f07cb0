"""Whole lives on the real thing, days passing: the ledger ends as on paper, verifies, and can be sealed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from uuid import UUID

from hypothesis import HealthCheck, given, settings

from shared.database import Database, Transaction
from shared.ids import new_id
from shared.ledger import Command, find_survivors, merge, post
from shared.ledger.commands import LOTS_PER_HOLD_MAX
from shared.ledger.due_lots import LotPlace, find_day, find_due
from tests.support.databases import FreshDatabase
from tests.support.ledger_chain import sealed
from tests.support.ledger_database import balances_of, holds_of, lots_of, owed_of, verified
from tests.support.ledger_histories import Merge, renamed
from tests.support.ledger_life import FIRST_DAY, Batch, DaysPass, JobPasses, Step, lives
from tests.support.ledger_model import PaperLedger

LOTS_MAX = 1_000
BEFORE_ALL = date(2026, 1, 1)


@dataclass(slots=True)
class Played:
    """A life that is being played to a database and to paper, under names that nobody else has."""

    database: Database
    paper: PaperLedger
    names: dict[UUID, UUID] = field(default_factory=dict)

    def own(self, name: UUID) -> UUID:
        return self.names.setdefault(name, new_id())

    async def play(self, step: Step) -> None:
        match step:
            case Batch(commands):
                await self.post(commands)
            case DaysPass(today, due):
                self.paper.see_day(today)
                await self.post(due)
            case JobPasses():
                await self.expire_due()
            case Merge(merged_id, survivor_id):
                await self.merge(self.own(merged_id), self.own(survivor_id))

    def as_of(self, transaction: Transaction) -> Transaction:
        """On the life's own day, whatever the server's clock says."""
        assert self.paper.today is not None
        return replace(transaction, now=datetime.combine(self.paper.today, time(12), UTC), zone=UTC)

    async def post(self, commands: Sequence[Command]) -> None:
        named = [renamed(command, self.own) for command in commands]
        for command in named:
            self.paper.post(command)
        await self.database.run(lambda transaction: post(self.as_of(transaction), named))

    async def merge(self, merged_id: UUID, survivor_id: UUID) -> None:
        self.paper.merge(merged_id, survivor_id)

        async def work(transaction: Transaction) -> None:
            known = await find_survivors(transaction, [merged_id, survivor_id])
            merging, surviving = known.get(merged_id, merged_id), known.get(survivor_id, survivor_id)
            if merging != surviving:
                await merge(self.as_of(transaction), merging, surviving)

        await self.database.run(work)

    async def expire_due(self) -> None:
        """As accrual's job does, day by day."""

        async def work(transaction: Transaction) -> None:
            day = await find_day(transaction, BEFORE_ALL)
            while day is not None and self.paper.today is not None and day <= self.paper.today:
                due = await find_due(transaction, day, LotPlace(), lots_max=LOTS_MAX, due_max=LOTS_MAX)
                await post(self.as_of(transaction), [lot.command for lot in due.due])
                day = await find_day(transaction, day)

        await self.database.run(work)


# One database serves all examples.
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(life=lives())
async def test_a_whole_life_agrees_with_paper_and_verifies(
    life: list[Step], database_of: Callable[[str], Database], fresh_database: FreshDatabase
) -> None:
    database = database_of("accrual")
    played = Played(database, PaperLedger(LOTS_PER_HOLD_MAX))
    played.paper.see_day(FIRST_DAY)
    for step in life:
        await played.play(step)
    await played.expire_due()
    owners, paper = set(played.names.values()), played.paper
    assert await balances_of(database, owners) == paper.balances()
    assert await lots_of(database, owners) == paper.lots()
    assert await holds_of(database, owners) == paper.holds()
    assert await owed_of(database, owners) == paper.owed()
    await sealed(database)
    await database.close()
    verification = await verified(fresh_database)
    assert verification.findings == ()
    assert verification.chain.waiting == 0
