"""Faults under a posting: whoever is killed or put to sleep holds nobody up for long, and nothing counts twice."""

import asyncio
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import date
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from shared.database import Database
from shared.database.roles import role_name
from shared.ids import new_id
from shared.ledger import Balances, Earn, LotTerms
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import balances_of, connected, posted, until_blocked, verified
from tests.support.until import until

ROOT = Path(__file__).resolve().parents[3]
TERMS = LotTerms("grocer", date(2026, 3, 1), None)
CANCELLED = 1_000
AT_ONCE = 50
CONNECTIONS = 8

# Earns a point for an owner, says so before it commits, and commits when it is told to.
POSTING = """
import asyncio, sys
from datetime import date
from uuid import UUID
from shared.database import Database
from shared.ledger import Earn, LotTerms, post

terms = LotTerms("grocer", date(2026, 3, 1), None)

async def main():
    async with Database(sys.argv[1]).transaction() as transaction:
        await post(transaction, [Earn(UUID(sys.argv[2]), "points", b"mine", 1, terms)])
        print("posted", flush=True)
        sys.stdin.readline()

asyncio.run(main())
"""


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> AsyncIterator[Database]:
    database = database_of("accrual")
    yield database
    await database.close()


@asynccontextmanager
async def posting_process(fresh_database: FreshDatabase, owner: UUID) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that has posted, holds the account's lock, and has not committed."""
    url, pipe = fresh_database.url(role_name("accrual")), asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", POSTING, url, str(owner), stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"posted\n"
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def balance(database: Database, owner: UUID) -> Balances:
    return (await balances_of(database, [owner]))[owner, "points"]


async def test_whoever_is_killed_while_holding_locks_holds_nobody_up_and_leaves_nothing(
    accrual: Database, fresh_database: FreshDatabase
) -> None:
    """The others do not even reach ``lock_timeout``."""
    owner = new_id()
    await posted(accrual, Earn(owner, "points", b"before", 10, TERMS))
    async with posting_process(fresh_database, owner) as killed, connected(fresh_database) as admin:
        waiting = asyncio.create_task(posted(accrual, Earn(owner, "points", b"waited", 5, TERMS)))
        await until_blocked(admin)
        killed.kill()
        await waiting
    assert await balance(accrual, owner) == Balances(available=15)
    assert (await verified(fresh_database)).is_sound


async def test_a_process_that_slept_through_its_transaction_wakes_to_find_it_gone(
    accrual: Database, fresh_database: FreshDatabase
) -> None:
    """SIGSTOP while it holds a lock: the server ends its transaction; after SIGCONT its commit takes no effect."""
    owner = new_id()
    await posted(accrual, Earn(owner, "points", b"before", 10, TERMS))
    async with posting_process(fresh_database, owner) as zombie:
        zombie.send_signal(signal.SIGSTOP)
        await posted(accrual, Earn(owner, "points", b"mine", 1, TERMS))  # its successor does the same
        zombie.send_signal(signal.SIGCONT)
        _, errors = await zombie.communicate(b"commit\n")
        assert zombie.returncode != 0
        assert b"Error" in errors
    assert await balance(accrual, owner) == Balances(available=11)
    assert (await verified(fresh_database)).is_sound


async def test_a_thousand_cancelled_postings_leak_no_connection_and_leave_no_half(
    fresh_database: FreshDatabase,
) -> None:
    """Cancelled wherever they are: waiting for a connection or a lock, in a statement, at the commit."""
    database = Database(
        fresh_database.url(role_name("accrual")), connections_max=CONNECTIONS, connect_timeout_seconds=30
    )
    owner = new_id()
    turns = random.Random(1)
    for _ in range(CANCELLED // AT_ONCE):
        tasks = [
            asyncio.create_task(posted(database, Earn(new_id(), "points", b"r", 1, TERMS))) for _ in range(AT_ONCE)
        ]
        for _ in range(turns.randrange(1_000)):  # some get further than others
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(end) for end in ends} <= {list, asyncio.CancelledError}
    async with asyncio.timeout(30):  # every connection of the pool is there again, and none waits for another's lock
        await asyncio.gather(
            *(posted(database, Earn(owner, "points", b"after", 1, TERMS)) for _ in range(2 * CONNECTIONS))
        )
    async with connected(fresh_database) as admin:
        await until(lambda: _are_idle(admin))
    assert await balance(database, owner) == Balances(available=2 * CONNECTIONS)
    await database.close()
    assert (await verified(fresh_database)).is_sound


async def _are_idle(admin: asyncpg.Connection) -> bool:
    """No connection of this database is in a transaction."""
    busy: int = await admin.fetchval("""
        select count(*) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'
            and backend_type = 'client backend'
    """)
    return busy == 0
