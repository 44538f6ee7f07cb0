"""A database of its own for every test that wants one: a copy of the migrated template."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from tests.support.servers import TEMPLATE_DATABASE, TestServers


@dataclass(frozen=True, slots=True)
class FreshDatabase:
    """A database with every component's tables and no rows."""

    name: str
    servers: TestServers

    @property
    def admin_url(self) -> str:
        """As the owner of everything."""
        return self.servers.url_of(self.name)

    def url(self, role: str) -> str:
        """As one of the platform's roles, for example ``tessera_accrual``."""
        return self.servers.url_of(self.name, role)


@asynccontextmanager
async def made_database(servers: TestServers) -> AsyncIterator[FreshDatabase]:
    """Copy the template; drop the copy afterwards, whoever is still connected to it."""
    name = f"test_{secrets.token_hex(8)}"
    # As files: through the WAL it takes twelve times as long.
    await _administer(servers, f"create database {name} template {TEMPLATE_DATABASE} strategy file_copy")
    try:
        yield FreshDatabase(name, servers)
    finally:
        await _administer(servers, f"drop database {name} with (force)")


async def _administer(servers: TestServers, statement: str) -> None:
    connection = await asyncpg.connect(servers.url_of("postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
