"""What several of these tests begin with."""

from collections.abc import AsyncIterator, Callable

import pytest

from shared.database import Database
from tests.support.databases import FreshDatabase
from tests.support.idempotent_holds import SERVICE, Scene, idempotent_scene


@pytest.fixture
async def scene(fresh_database: FreshDatabase, database_of: Callable[[str], Database]) -> AsyncIterator[Scene]:
    async with idempotent_scene(fresh_database, database_of(SERVICE)) as scene:
        yield scene
