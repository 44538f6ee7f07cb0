"""Two transactions on two connections, of which the second runs into the first one's lock before the first commits."""

import asyncio
from collections.abc import Awaitable, Callable

from shared.database import Database, Transaction
from tests.support.until import until

BLOCKED_SECONDS_MAX = 10.0

Work = Callable[[Transaction], Awaitable[object]]


async def interleave(database: Database, first: Work, second: Work) -> None:
    """``first`` does its work and commits only after ``second`` waits for one of its locks."""
    async with database.transaction() as ahead:
        await first(ahead)

        async def run_second() -> None:
            async with database.transaction() as behind:
                await second(behind)

        waiting = asyncio.create_task(run_second())
        await until(lambda: _is_over_or_blocked(database, waiting), seconds_max=BLOCKED_SECONDS_MAX)
        assert not waiting.done(), "the second never met the first: they share no row"
    await waiting


async def _is_over_or_blocked(database: Database, waiting: "asyncio.Task[None]") -> bool:
    """Looked at from a third connection: a transaction sees the state of others as it was when it first looked."""
    if waiting.done():
        return True
    async with database.transaction() as transaction:
        return bool(
            await transaction.raw.fetchval(
                "select exists (select from pg_stat_activity"
                " where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0)"
            )
        )
