"""The coalition service on a database of its own."""

from collections.abc import AsyncIterator, Callable

import httpx2
import pytest

from shared.database import Database
from tests.support.registries import coalition_client


@pytest.fixture
def database(database_of: Callable[[str], Database]) -> Database:
    """Coalition's database, as coalition's role."""
    return database_of("coalition")


@pytest.fixture
async def client(database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """Calls to coalition's routes."""
    async with coalition_client(database) as opened:
        yield opened
