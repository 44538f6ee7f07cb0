"""A database that a test has used is a later test's only when it is as it was copied."""

import asyncpg
import pytest

from tests.support.databases import FreshDatabase, made_database
from tests.support.servers import TestServers

TABLES = """
    select format('%I.%I', nspname, relname)
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('r', 'p') and nspname !~ '^pg_|^information_schema$'
    order by 1
"""
SEQUENCES = "select seqrelid::regclass::text, pg_sequence_last_value(seqrelid) from pg_sequence order by 1"
CATALOGUES = ("pg_attribute", "pg_constraint", "pg_trigger", "pg_proc", "pg_depend", "pg_index", "pg_attrdef")
ALL_ROWS = "select md5(string_agg(one::text, ',' order by one::text)) from {} one"

# In a table that was empty, and in two that the template fills.
WRITES = """
    insert into coalition.erased_members values (gen_random_uuid());
    update accrual.outbox_slots set epoch = epoch + 1;
    delete from members.identifier_versions;
    select nextval('coalition.outbox_id_seq')
"""
CHANGES = {
    "a table of its own": "create table ledger.own (one int)",
    "a trigger less": "drop trigger {trigger} on {table}",
    "a trigger that sleeps": "alter table {table} disable trigger {trigger}",
    "a right less": "revoke all on coalition.partners from tessera_coalition",
    "a column more": "alter table coalition.partners add own int",
    "a setting": "alter role tessera_coalition in database {database} set lock_timeout = 1",
}


async def connect(database: FreshDatabase) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(database.admin_url)


async def contents(database: FreshDatabase) -> dict[str, object]:
    """All rows of all tables, where the sequences are, and what the catalogues have."""
    connection = await connect(database)
    found: dict[str, object] = {}
    for (table,) in await connection.fetch(TABLES):
        found[table] = await connection.fetchval(ALL_ROWS.format(table))
    for catalogue in CATALOGUES:
        found[catalogue] = await connection.fetchval(ALL_ROWS.format(catalogue))
    found |= {row[0]: row[1] for row in await connection.fetch(SEQUENCES)}
    await connection.close()
    return found


async def oid(database: FreshDatabase) -> int:
    connection = await connect(database)
    found: int = await connection.fetchval("select oid from pg_database where datname = current_database()")
    await connection.close()
    return found


async def test_a_used_database_is_as_it_was_copied_also_where_somebody_was_still_writing(stack: TestServers) -> None:
    async with made_database(stack) as database:
        first, copied = await oid(database), await contents(database)
        connection = await connect(database)
        await connection.execute(WRITES)
        assert await contents(database) != copied
        unfinished = connection.transaction()
        await unfinished.start()
        await connection.execute("insert into members.identifier_versions (erased_max) values (99)")
    async with made_database(stack) as later:
        assert (await oid(later), await contents(later)) == (first, copied)
        assert later.name != database.name


@pytest.mark.parametrize("change", CHANGES)
async def test_a_database_whose_tables_or_rights_were_changed_is_nobodys(stack: TestServers, change: str) -> None:
    async with made_database(stack) as database:
        first = await oid(database)
        connection = await connect(database)
        triggers = await connection.fetch(
            "select tgname, tgrelid::regclass::text from pg_trigger where not tgisinternal and tgparentid = 0"
        )
        trigger, table = triggers[0]
        await connection.execute(CHANGES[change].format(trigger=trigger, table=table, database=database.name))
        await connection.close()
    async with made_database(stack) as later:
        assert await oid(later) != first
