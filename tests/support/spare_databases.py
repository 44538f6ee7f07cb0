"""Databases that tests have given back and that are again as they were copied: sooner had than another copy.

A copy of the template is a thousand files; to take away what one test has written costs a tenth of that. The server
counts what is written to each table. Where anything was written to a catalogue (a test has made, changed or taken away
a table, a trigger, a right), nothing is mended, and the database is dropped. Else the tables that were written lose
their rows, get those again that the template has, and sequences begin again.
"""

from dataclasses import dataclass, field
from io import BytesIO
from typing import TypeAlias

import asyncpg

from tests.support.until import until

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

# ``pg_statistic*`` is written by the server itself, whenever it likes. What all databases share is not looked at.
_WRITES = r"""
    select format('%I.%I', nspname, relname),
        pg_stat_get_tuples_inserted(pg_class.oid) + pg_stat_get_tuples_updated(pg_class.oid)
        + pg_stat_get_tuples_deleted(pg_class.oid)
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where relkind = 'r' and not relisshared and relname not like 'pg\_statistic%'
"""
_FILLED = """
    select format('%I.%I', nspname, relname)
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where relkind = 'r' and nspname not in ('pg_catalog', 'information_schema') and pg_relation_size(pg_class.oid) > 0
"""
_SEQUENCES = "select seqrelid::regclass::text, pg_sequence_last_value(seqrelid), seqstart from pg_sequence"
# Who is not seen here any more has told the server all that it has written.
_END_OTHERS = """
    select count(pg_terminate_backend(pid)) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
"""
_SETTINGS = """
    select count(*) from pg_db_role_setting
    where setdatabase = (select oid from pg_database where datname = current_database())
"""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy of the template holds: the rows of tables that have some, and where sequences are."""

    rows: dict[str, bytes]
    sequences: dict[str, int | None]


@dataclass(frozen=True, slots=True)
class Spare:
    """A database as it was copied, and how often each table had been written by then."""

    name: str
    writes: dict[str, int]


@dataclass(slots=True)
class SpareDatabases:
    """One process's spare databases on one server."""

    spares: list[Spare] = field(default_factory=list)
    _copied: Copied | None = None

    async def look_at(self, connection: Connection, name: str) -> Spare:
        """Describe a copy that nobody has used yet."""
        if self._copied is None:
            rows = {table: await _rows(connection, table) for (table,) in await connection.fetch(_FILLED)}
            self._copied = Copied(rows, {name: value for name, value, _ in await connection.fetch(_SEQUENCES)})
        return Spare(name, await _writes(connection))

    async def take_back(self, connection: Connection, used: Spare) -> bool:
        """Make a used database a spare one; False, and nothing has changed, where it can be none."""

        async def is_alone() -> bool:
            return bool(await connection.fetchval(_END_OTHERS) == 0)

        await until(is_alone)
        writes = await _writes(connection)
        written = {table for table, count in writes.items() if count != used.writes.get(table)}
        if self._copied is None or await connection.fetchval(_SETTINGS) or any(map(_is_catalogue, written)):
            return False
        await _make_as_copied(connection, self._copied, written)
        self.spares.append(Spare(used.name, await _writes(connection)))
        return True


def _is_catalogue(table: str) -> bool:
    return table.startswith(("pg_catalog.", "information_schema."))


async def _rows(connection: Connection, table: str) -> bytes:
    schema, name = table.split(".")
    rows = BytesIO()
    await connection.copy_from_table(name, schema_name=schema, output=rows)
    return rows.getvalue()


async def _writes(connection: Connection) -> dict[str, int]:
    await connection.execute("select pg_stat_force_next_flush()")  # what this session itself has written, too
    return {row[0]: row[1] for row in await connection.fetch(_WRITES)}


async def _make_as_copied(connection: Connection, copied: Copied, written: set[str]) -> None:
    async with connection.transaction():
        # Neither foreign keys nor triggers that keep what may never be deleted: all of it goes.
        await connection.execute("set local session_replication_role = replica")
        await connection.execute(";".join(["select", *(f"delete from {table}" for table in written)]))
        for table in written & copied.rows.keys():
            schema, name = table.split(".")
            await connection.copy_to_table(name, schema_name=schema, source=BytesIO(copied.rows[table]))
        for sequence, value, start in await connection.fetch(_SEQUENCES):
            if value != (first := copied.sequences[sequence]):
                await connection.execute(
                    f"select setval('{sequence}', {start if first is None else first}, {first is not None})"
                )
