"""Redemption's database, as the service and as its owner see it."""

from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest

from shared.database import Database
from tests.support.databases import FreshDatabase
from tests.support.redemption import Admin, Spending


@pytest.fixture
async def spending(database_of: Callable[[str], Database]) -> Spending:
    return Spending(database_of("redemption"))


@pytest.fixture
async def admin(fresh_database: FreshDatabase) -> AsyncIterator[Admin]:
    connection = await asyncpg.connect(fresh_database.admin_url)
    yield connection
    await connection.close()
