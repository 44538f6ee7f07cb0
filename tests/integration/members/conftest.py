"""The members service on a database of its own."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from shared.database import Database
from tests.support.registries import empty_tables, members_client, shared_database
from tests.support.servers import TestServers


@pytest.fixture(scope="module")
async def module_database(stack: TestServers) -> AsyncIterator[Database]:
    """One database for the tests of a file."""
    async with shared_database(stack, "members") as database:
        yield database


@pytest.fixture
async def database(module_database: Database) -> Database:
    """The service's database, as the service's role, empty."""
    await empty_tables(module_database, "members")
    return module_database


@pytest.fixture(scope="module")
async def module_client(module_database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """One application for the tests of a file: to build its routes takes longer than most tests."""
    async with members_client(module_database) as opened:
        yield opened


@pytest.fixture
def client(database: Database, module_client: httpx2.AsyncClient) -> httpx2.AsyncClient:  # noqa: ARG001  emptied first
    """Calls to the service's routes, with nothing stored."""
    return module_client
