"""Transactions on asyncpg alone: what fails leaves nothing behind for whoever has the connection next."""

import asyncio
from typing import Any

import asyncpg
import pytest

from shared.database import Database
from shared.database.engine import Opening
from tests.support.databases import FreshDatabase

OPENING = Opening("select now() as now")


async def fail_after_writing(database: Database) -> None:
    async with database.opened(OPENING) as (transaction, _):
        await transaction.raw.execute("create table written (by_whom text)")
        raise ZeroDivisionError("a bug")


@pytest.mark.parametrize("is_sent", [True, False])
async def test_who_is_cancelled_while_rolling_back_leaves_nothing_to_be_committed_by_another(
    fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch, is_sent: bool
) -> None:
    database = Database(fresh_database.admin_url, connections_max=1)
    is_rolling_back, execute = asyncio.Event(), asyncpg.Connection.execute

    async def executing(self: Any, query: str, *args: Any, **options: Any) -> Any:
        if query == "rollback":
            is_rolling_back.set()
            if not is_sent:
                await asyncio.Event().wait()
        return await execute(self, query, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(asyncpg.Connection, "execute", executing)
        failing = asyncio.create_task(fail_after_writing(database))
        await is_rolling_back.wait()
        failing.cancel()
        await asyncio.gather(failing, return_exceptions=True)

    async with database.opened(OPENING) as (transaction, _):
        assert not await transaction.raw.fetchval("select to_regclass('written') is not null")
    await database.close()
