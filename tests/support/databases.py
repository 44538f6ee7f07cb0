"""A database of its own for every test that wants one: a copy of the migrated template."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import asyncpg

from tests.support.servers import TEMPLATE_DATABASE, TestServers
from tests.support.spare_databases import Spare, SpareDatabases

_spare_databases: dict[str, SpareDatabases] = {}


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
    """Copy the template, or take a spare copy; whoever is still connected to it afterwards is thrown out.

    No two have the same name: who belongs to an earlier test does not find a later one's.
    """
    name = f"test_{secrets.token_hex(8)}"
    known = _spare_databases.setdefault(servers.admin_url, SpareDatabases())
    if known.spares:
        taken = known.spares.pop()
        await _administer(servers, f"alter database {taken.name} rename to {name}")
        spare = replace(taken, name=name)
    else:
        # As files: through the WAL it takes twelve times as long.
        await _administer(servers, f"create database {name} template {TEMPLATE_DATABASE} strategy file_copy")
        async with _connected(servers, name) as connection:
            spare = await known.look_at(connection, name)
    try:
        yield FreshDatabase(name, servers)
    finally:
        if not await _is_taken_back(servers, known, spare):
            await _administer(servers, f"drop database {name} with (force)")


async def drop_spare_databases() -> None:
    """Leave none behind: on servers that were given and stay."""
    for admin_url, known in _spare_databases.items():
        connection = await asyncpg.connect(admin_url)
        while known.spares:
            await connection.execute(f"drop database {known.spares.pop().name} with (force)")
        await connection.close()


async def _is_taken_back(servers: TestServers, known: SpareDatabases, used: Spare) -> bool:
    try:
        async with _connected(servers, used.name) as connection:
            return await known.take_back(connection, used)
    except asyncpg.PostgresError:  # whatever a test has done to it: it is dropped
        return False


async def _administer(servers: TestServers, statement: str) -> None:
    async with _connected(servers, "postgres") as connection:
        await connection.execute(statement)


@asynccontextmanager
async def _connected(servers: TestServers, name: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(servers.url_of(name))
    try:
        yield connection
    finally:
        await connection.close()
