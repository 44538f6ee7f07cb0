"""Reading on asyncpg alone, without a transaction."""

import asyncio
from collections.abc import Callable

import pytest

from shared.database import Database


@pytest.fixture
def database(database_of: Callable[[str], Database]) -> Database:
    return database_of("members")


async def backend(database: Database) -> int:
    async with database.glance() as glancing:
        pid: int = await glancing.raw.fetchval("select pg_backend_pid()")
        return pid


async def test_each_statement_stands_alone_and_knows_business_time(database: Database) -> None:
    async with database.transaction() as transaction, database.glance() as glancing:
        assert glancing.now >= transaction.now
        assert not glancing.raw.is_in_transaction()


async def test_the_connection_is_used_again_unless_it_may_be_broken(database: Database) -> None:
    pid = await backend(database)
    with pytest.raises(ZeroDivisionError):
        async with database.glance():
            raise ZeroDivisionError("a bug")
    assert await backend(database) == pid

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01), database.glance() as glancing:
            await glancing.raw.fetchval("select pg_sleep(5)")

    assert await backend(database) != pid


async def test_sqlalchemy_is_not_asked(database: Database) -> None:
    async with database.glance() as glancing:
        with pytest.raises(RuntimeError, match="ask raw"):
            await glancing.connection.rollback()
