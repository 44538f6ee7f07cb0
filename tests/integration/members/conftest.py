"""The members service on a database of its own."""

from collections.abc import AsyncIterator, Callable

import httpx2
import pytest

from shared.database import Database
from tests.support.registries import members_client


@pytest.fixture
def database(database_of: Callable[[str], Database]) -> Database:
    """The registry's database, as the registry's role."""
    return database_of("members")


@pytest.fixture
async def client(database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """Calls to the registry's routes."""
    async with members_client(database) as opened:
        yield opened
