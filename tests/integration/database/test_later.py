"""Transactions on asyncpg alone, and writes that wait for a transaction's last statement."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from sqlalchemy import text

from shared.database import Database
from shared.database.engine import BUSINESS_TIME, Opened, Opening
from shared.database.later import Write
from tests.support.databases import FreshDatabase

OPENING = Opening(f"select {BUSINESS_TIME} as now, $1::bigint as said", (7,))
SAVE = "insert into noted (words) values ($1)"


@pytest.fixture
async def database(fresh_database: FreshDatabase, database_of: Callable[[str], Database]) -> Database:
    connection = await asyncpg.connect(fresh_database.admin_url)
    try:
        await connection.execute("create table members.noted (words text); grant all on members.noted to public")
    finally:
        await connection.close()
    return database_of("members")


async def noted(database: Database) -> list[str]:
    async with database.transaction() as transaction:
        return [row[0] for row in await transaction.raw.fetch("select words from noted order by 1")]


async def test_what_was_put_off_is_written_before_the_commit_however_the_transaction_began(database: Database) -> None:
    async with database.transaction() as transaction:
        transaction.later.extend([Write(SAVE, ("a",)), Write(SAVE, ("b",))])
        assert await transaction.raw.fetchval("select count(*) from noted") == 0
    async with database.opened(OPENING) as opened:
        opened.transaction.later.append(Write(SAVE, ("c",)))
        assert opened.row["said"] == 7

    assert await noted(database) == ["a", "b", "c"]


async def crash(_: Opened) -> None:
    raise ZeroDivisionError("a bug")


async def write_nowhere(opened: Opened) -> None:
    opened.transaction.later.append(Write("insert into nowhere values ($1)", ("x",)))


async def ask_sqlalchemy(opened: Opened) -> None:
    await opened.transaction.connection.execute(text("select 1"))


@pytest.mark.parametrize(
    ("go_wrong", "says"),
    [(crash, "a bug"), (write_nowhere, "nowhere"), (ask_sqlalchemy, "manually started transaction")],
)
async def test_what_raises_leaves_nothing_and_the_connection_goes_on(
    database: Database, go_wrong: Callable[[Opened], Awaitable[None]], says: str
) -> None:
    """SQLAlchemy knows nothing of such a transaction: what it is asked for must not be lost, and is refused."""

    async def work(opened: Opened) -> None:
        await opened.transaction.raw.execute(SAVE, "written")
        opened.transaction.later.append(Write(SAVE, ("put off",)))
        await go_wrong(opened)

    with pytest.raises(Exception, match=says):
        await database.run_opened(OPENING, work)

    assert await noted(database) == []
