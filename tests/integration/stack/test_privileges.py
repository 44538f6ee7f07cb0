"""Least privilege, tried as the roles themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from shared.database.migrate import migrate
from shared.database.roles import SERVICES, reader_name, role_name
from tests.support.databases import FreshDatabase

LEDGER_ONLY = ("members", "coalition", "fraud", "notifications")


@asynccontextmanager
async def connected(database: FreshDatabase, role: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database.url(role))
    try:
        yield connection
    finally:
        await connection.close()


async def tables_of(database: FreshDatabase, schema: str) -> list[str]:
    """A schema's tables, without partitions: those are read through their tables."""
    connection = await asyncpg.connect(database.admin_url)
    try:
        rows = await connection.fetch(
            "select relname from pg_class where relnamespace = to_regnamespace($1) and relkind in ('r', 'p') "
            "and not relispartition",
            schema,
        )
    finally:
        await connection.close()
    return [row["relname"] for row in rows]


@pytest.mark.parametrize("service", ["accrual", "redemption"])
@pytest.mark.parametrize(
    "statement",
    [
        "update ledger_transfers set points = points",
        "delete from ledger_transfers",
        "truncate ledger_transfers",
        "delete from ledger_accounts",
    ],
)
async def test_nobody_rewrites_the_ledgers_past(fresh_database: FreshDatabase, service: str, statement: str) -> None:
    async with connected(fresh_database, role_name(service)) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_reads_no_other_services_tables(fresh_database: FreshDatabase, service: str) -> None:
    for role in (role_name(service), reader_name(service)):
        async with connected(fresh_database, role) as connection:
            for other in SERVICES:
                if other != service:
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await connection.execute(f"select 1 from {other}.alembic_version")


@pytest.mark.parametrize("service", LEDGER_ONLY)
async def test_only_accrual_and_redemption_see_the_ledger(fresh_database: FreshDatabase, service: str) -> None:
    async with connected(fresh_database, role_name(service)) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("select 1 from ledger.ledger_accounts")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_works_on_its_own_tables_and_changes_no_schema(
    fresh_database: FreshDatabase, service: str
) -> None:
    async with connected(fresh_database, role_name(service)) as connection:
        await connection.execute("delete from outbox")
        for statement in (
            "create table mine ()",
            "alter table outbox add column mine text",
            "drop table outbox",
            "delete from alembic_version",
            "delete from business_clock",
            "create schema mine",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_reader_reads_everything_of_its_service_and_writes_nothing(
    fresh_database: FreshDatabase, service: str
) -> None:
    tables = await tables_of(fresh_database, service)
    assert tables
    async with connected(fresh_database, reader_name(service)) as connection:
        for table in tables:
            await connection.execute(f"select count(*) from {service}.{table}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("delete from outbox")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_is_cut_off_where_its_reader_may_take_its_time(
    fresh_database: FreshDatabase, service: str
) -> None:
    settings = "select current_setting('lock_timeout'), current_setting('transaction_timeout')"
    async with connected(fresh_database, role_name(service)) as connection:
        assert tuple(await connection.fetchrow(settings) or ()) == ("2s", "5s")
    async with connected(fresh_database, reader_name(service)) as connection:
        assert tuple(await connection.fetchrow(settings) or ()) == ("0", "0")


async def test_migrating_again_changes_nothing_but_takes_back_what_is_not_declared(
    fresh_database: FreshDatabase,
) -> None:
    admin = await asyncpg.connect(fresh_database.admin_url)
    try:
        await admin.execute("grant update on platform.business_clock to tessera_fraud")
        await admin.execute("grant usage on schema members to tessera_fraud")
        report = await migrate(fresh_database.admin_url, {})
        may_update = "select has_table_privilege('tessera_fraud', 'platform.business_clock', 'update')"
        may_look = "select has_schema_privilege('tessera_fraud', 'members', 'usage')"
        assert await admin.fetchval(may_update) is False
        assert await admin.fetchval(may_look) is False
    finally:
        await admin.close()
    assert [step.schema for step in report] == ["platform", "ledger", *SERVICES]
    assert not [step for step in report if step.is_change]
    async with connected(fresh_database, "tessera_accrual") as connection:
        await connection.execute("select 1 from ledger_transfers")
