"""Reads that share round trips are answered as they would be alone."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

import asyncpg
import pytest

from shared.database import Database, Transaction
from shared.database.reads import Reads
from shared.database.roles import role_name
from tests.support.databases import made_database
from tests.support.servers import TestServers

BOTH = pytest.mark.parametrize("sharing_trips", [False, True])
IDS = [UUID(int=1), UUID(int=2)]


@pytest.fixture(scope="module")
async def database(stack: TestServers) -> AsyncIterator[Database]:
    async with made_database(stack) as made:
        database = Database(made.url(role_name("accrual")))
        yield database
        await database.close()


async def doubled(transaction: Transaction, numbers: Sequence[int]) -> dict[int, int]:
    """Rows by the names of their columns."""
    rows = await transaction.raw.fetch(
        "select number, number * 2 as twice from unnest($1::bigint[]) as asked (number) order by number desc", numbers
    )
    return {row["number"]: row["twice"] for row in rows}


async def numbered(transaction: Transaction, ids: Sequence[UUID], first: int) -> list[tuple[int, UUID, str | None]]:
    """Rows by the places of their columns, two of which bear one name."""
    rows = await transaction.raw.fetch(
        "select $2::int + number, id, null::text as id from unnest($1::uuid[]) with ordinality as asked (id, number)",
        ids,
        first,
    )
    return [(number, one, nothing) for number, one, nothing in rows]


async def in_steps(transaction: Transaction, steps: int) -> list[int]:
    """Several statements, each after the other; the first column of the first row, or nothing."""
    found = [await transaction.raw.fetchval("select $1::int * 10", step) for step in range(steps)]
    assert await transaction.raw.fetchval("select 1 where $1::int < 0", steps) is None
    assert await transaction.raw.fetchrow("select 1 where $1::int < 0", steps) is None
    return found


async def known(_: Transaction) -> str:
    """Asks for nothing."""
    return "known"


@contextmanager
def counted(transaction: Transaction) -> Iterator[list[str]]:
    """The statements that go to the server meanwhile."""
    sent: list[str] = []

    def note(record: asyncpg.connection.LoggedQuery) -> None:
        sent.append(record.query)

    with transaction.raw.query_logger(note):
        yield sent


@BOTH
async def test_each_is_answered_as_it_would_be_alone(database: Database, sharing_trips: bool) -> None:
    async with database.transaction() as transaction:
        reads = Reads(transaction, sharing_trips=sharing_trips)
        twice = reads.ask(doubled, [1, 3])
        none = reads.ask(doubled, numbers=[])
        rows = reads.ask(numbered, IDS, first=4)
        steps = reads.ask(in_steps, 3)
        nothing = reads.ask(known)
        await reads.answered()

        assert twice.value == {3: 6, 1: 2}
        assert list(twice.value) == [3, 1]
        assert none.value == {}
        assert rows.value == [(5, IDS[0], None), (6, IDS[1], None)]
        assert steps.value == [0, 10, 20]
        assert nothing.value == "known"


async def test_as_many_round_trips_as_the_longest_read_has_statements(database: Database) -> None:
    async def sent_by_many(transaction: Transaction) -> list[str]:
        reads = Reads(transaction, sharing_trips=True)
        for first in range(20):
            reads.ask(numbered, IDS, first)
        reads.ask(in_steps, 1)
        with counted(transaction) as sent:
            await reads.answered()
        return sent

    await database.run(sent_by_many)  # the first time, the names of columns are asked for
    assert len(await database.run(sent_by_many)) == 3


@BOTH
async def test_what_one_raises_is_raised(database: Database, sharing_trips: bool) -> None:
    async def fails(transaction: Transaction) -> None:
        await doubled(transaction, [1])
        raise LookupError("of its own")

    async with database.transaction() as transaction:
        reads = Reads(transaction, sharing_trips=sharing_trips)
        reads.ask(in_steps, 2)
        reads.ask(fails)
        with pytest.raises(LookupError, match="of its own"):
            await reads.answered()

        assert await doubled(transaction, [2]) == {2: 4}  # nothing is under way on the connection


@BOTH
async def test_a_statement_that_fails_fails_whoever_waited_for_it(database: Database, sharing_trips: bool) -> None:
    async def divides(transaction: Transaction) -> int:
        return int(await transaction.raw.fetchval("select 1 / $1::int", 0))

    async def asks(transaction: Transaction) -> None:
        reads = Reads(transaction, sharing_trips=sharing_trips)
        reads.ask(doubled, [1])
        reads.ask(divides)
        await reads.answered()

    with pytest.raises(asyncpg.DivisionByZeroError):
        await database.run(asks)


async def test_who_is_called_off_leaves_nothing_under_way(database: Database) -> None:
    async def sleeps(transaction: Transaction) -> None:
        await transaction.raw.fetch("select pg_sleep($1::int)", 60)

    async def asks(transaction: Transaction) -> None:
        reads = Reads(transaction, sharing_trips=True)
        reads.ask(in_steps, 3)
        reads.ask(sleeps)
        async with asyncio.timeout(0.05):
            await reads.answered()

    with pytest.raises(TimeoutError):
        await database.run(asks)

    async with database.transaction() as transaction:
        assert await doubled(transaction, [2]) == {2: 4}
