"""Moving business time, in tests and demonstrations: a row says how far it is ahead of the database's clock.

For a role that owns the database; a service's role may only read the row. Nobody moves time back: what was decided by a
time would be decided again before it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from shared.database.month_partitions import partition_makers
from shared.database.roles import SCHEMAS

_READ = """
    select now() + coalesce((select clock_offset from platform.business_clock), interval '0') as business_time,
        coalesce((select clock_offset from platform.business_clock), interval '0') as ahead
"""
_MOVE = """
    insert into platform.business_clock (clock_offset) values ($1)
    on conflict (singleton) do update set clock_offset = business_clock.clock_offset + excluded.clock_offset
"""


@dataclass(frozen=True, slots=True)
class BusinessTime:
    """Business time, and how far it is ahead of the database's own."""

    now: datetime
    ahead: timedelta


async def read_clock(connection: asyncpg.Connection) -> BusinessTime:
    """Business time now."""
    row = await connection.fetchrow(_READ)
    if row is None:
        raise AssertionError("unreachable: a select without a table gives a row")
    return BusinessTime(row["business_time"].astimezone(UTC), row["ahead"])


async def advance_clock(connection: asyncpg.Connection, by: timedelta) -> BusinessTime:
    """Move business time ahead; what it is then. Partitions for the new month and three more are made before.

    Raises:
        ValueError: ``by`` is not ahead.
    """
    if by <= timedelta(0):
        raise ValueError("business time moves ahead only")
    async with connection.transaction():
        then = (await read_clock(connection)).now + by
        for schema in SCHEMAS:
            await connection.execute(f"set local search_path to {schema}")
            for (maker,) in await connection.fetch(partition_makers(schema)):
                await connection.execute(f"select {maker}($1)", then)  # nosec B608 -- our own functions
        await connection.execute(_MOVE, by)
    return await read_clock(connection)
