"""The ledger on a real database, as tests read and disturb it."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from shared.database import Database
from shared.database.roles import reader_name
from shared.ledger import Balances, Command, Give, LotTerms, Outcome, Verification, post, verify
from shared.ledger.repository import terms_of
from tests.support.databases import FreshDatabase

BLOCKED_SECONDS_MAX = 20.0
POLL_SECONDS = 0.01

# Those who were merged stand with their survivors.
_BALANCES = """
    select coalesce(survivor_id, owner_id), point_type, sum(available)::bigint, sum(held)::bigint, sum(pending)::bigint,
        sum(debt)::bigint
    from ledger_accounts left join ledger_aliases using (owner_id)
    where owner_id = any($1::uuid[])
    group by 1, 2
"""
_LOTS = """
    select coalesce(survivor_id, owner_id), point_type, issuer, available_from, expires_on, basis, funding, limits,
        award,
        sum(remaining)::bigint as remaining, sum(reserved)::bigint as reserved
    from ledger_lots join ledger_accounts using (account_id) left join ledger_aliases using (owner_id)
    where owner_id = any($1::uuid[]) and (remaining > 0 or reserved > 0)
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9
"""
_HOLDS = """
    select hold.hold_id, hold.state, hold.reserved as hold_reserved, part.lot_key, part.reserved, part.captured,
        part.refunded
    from ledger_holds as hold
        join ledger_accounts using (account_id)
        join ledger_hold_lots as part using (hold_id)
    where owner_id = any($1::uuid[])
"""
_DEBTS = """
    select coalesce(survivor_id, owner_id), point_type, issuer, sum(owed)::bigint
    from ledger_debts join ledger_accounts using (account_id) left join ledger_aliases using (owner_id)
    where owner_id = any($1::uuid[]) and owed > 0
    group by 1, 2, 3
"""
# What a test's own connection waits for shows up here; the pid tells it from others of the same database.
_BLOCKED = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


async def posted(database: Database, *commands: Command) -> list[Outcome]:
    """Post in a transaction of its own, as services do: begun again if the connection is lost before the commit."""
    return await database.run(lambda transaction: post(transaction, commands))


async def balances_of(database: Database, owners: Collection[UUID]) -> dict[tuple[UUID, str], Balances]:
    """Balances as stored."""
    async with database.transaction() as transaction:
        rows = await transaction.raw.fetch(_BALANCES, list(owners))
    return {(owner_id, point_type): Balances(*amounts) for owner_id, point_type, *amounts in rows}


async def lots_of(
    database: Database, owners: Collection[UUID]
) -> dict[tuple[UUID, str, tuple[LotTerms, bytes | None]], tuple[int, int]]:
    """Remaining and reserved of the stored lots that have either."""
    async with database.transaction() as transaction:
        rows = await transaction.raw.fetch(_LOTS, list(owners))
    return {
        (row[0], row["point_type"], (terms_of(row), row["award"])): (row["remaining"], row["reserved"]) for row in rows
    }


async def owed_of(database: Database, owners: Collection[UUID]) -> dict[tuple[UUID, str], dict[str, int]]:
    """What owners owe, by the issuers who wait for it."""
    owed: dict[tuple[UUID, str], dict[str, int]] = {}
    async with database.transaction() as transaction:
        for owner_id, point_type, issuer, points in await transaction.raw.fetch(_DEBTS, list(owners)):
            owed.setdefault((owner_id, point_type), {})[issuer] = points
    return owed


async def holds_of(
    database: Database, owners: Collection[UUID]
) -> dict[UUID, tuple[str, dict[bytes, tuple[int, int, int]]]]:
    """State of the stored holds, with reserved, captured and refunded of their lots."""
    async with database.transaction() as transaction:
        rows = await transaction.raw.fetch(_HOLDS, list(owners))
    found: dict[UUID, tuple[str, dict[bytes, tuple[int, int, int]]]] = {}
    for row in rows:
        _, parts = found.setdefault(row["hold_id"], (row["state"], {}))
        parts[row["lot_key"]] = (row["reserved"], row["captured"], row["refunded"])
    return found


@asynccontextmanager
async def connected(fresh_database: FreshDatabase, role: str | None = None) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection, as a role or as the administrator with the ledger on its search path."""
    url = fresh_database.admin_url if role is None else fresh_database.url(role)
    settings = {"search_path": "ledger, platform"} if role is None else {}
    connection: asyncpg.Connection = await asyncpg.connect(url, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close()


async def verified(fresh_database: FreshDatabase) -> Verification:
    """The ledger's verification, as a reader."""
    async with connected(fresh_database, reader_name("accrual")) as connection:
        return await verify(connection)


async def until_blocked(connection: asyncpg.Connection, count: int = 1) -> None:
    """Wait until this many connections of the database wait for a lock."""
    async with asyncio.timeout(BLOCKED_SECONDS_MAX):
        while True:
            if await connection.fetchval(_BLOCKED) >= count:
                return
            await asyncio.sleep(POLL_SECONDS)


def owners_of(commands: Sequence[Command]) -> set[UUID]:
    """Whose points these commands move."""
    return {command.owner_id for command in commands} | {
        command.receiver_id for command in commands if isinstance(command, Give)
    }
