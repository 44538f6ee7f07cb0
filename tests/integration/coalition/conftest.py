"""The coalition service on a database of its own."""

from collections.abc import AsyncIterator

import asyncpg
import httpx2
import pytest

from shared.database import Database
from shared.database.roles import role_name
from tests.support.databases import made_database
from tests.support.exposure import Coalition
from tests.support.registries import coalition_client, empty_tables, shared_database
from tests.support.servers import TestServers


@pytest.fixture(scope="module")
async def module_database(stack: TestServers) -> AsyncIterator[Database]:
    """One database for the tests of a file."""
    async with shared_database(stack, "coalition") as database:
        yield database


@pytest.fixture(scope="module")
async def coalition(stack: TestServers) -> AsyncIterator[Coalition]:
    """One coalition for the tests of a file, each with partners of its own: its clock only goes forward."""
    async with made_database(stack) as made:
        database, admin = Database(made.url(role_name("coalition"))), await asyncpg.connect(made.admin_url)
        async with coalition_client(database) as client:
            yield Coalition(database, client, admin)
        await admin.close()
        await database.close()


@pytest.fixture
async def database(module_database: Database) -> Database:
    """The service's database, as the service's role, empty."""
    await empty_tables(module_database, "coalition")
    return module_database


@pytest.fixture(scope="module")
async def module_client(module_database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """One application for the tests of a file: to build its routes takes longer than most tests."""
    async with coalition_client(module_database) as opened:
        yield opened


@pytest.fixture
def client(database: Database, module_client: httpx2.AsyncClient) -> httpx2.AsyncClient:  # noqa: ARG001  emptied first
    """Calls to the service's routes, with nothing stored."""
    return module_client
