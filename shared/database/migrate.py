"""Brings a database to the newest version of every component, and its roles to what is declared.

``tessera migrate`` alone calls this, before services roll. Running it again changes nothing; two at once queue up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from shared.database.month_partitions import partition_makers
from shared.database.privileges import apply_privileges, create_roles
from shared.database.roles import SCHEMAS
from shared.database.tls import engine_arguments

ROOT = Path(__file__).resolve().parents[2]
SCRIPT_LOCATION = ROOT / "shared" / "database" / "alembic"
_BUSINESS_TIME = "now() + coalesce((select clock_offset from platform.business_clock), interval '0')"
ADVISORY_LOCK_KEY = 0x7E55E7A  # any constant: one migration at a time in a database


@dataclass(frozen=True, slots=True)
class Migrated:
    """One component's step: ``before`` is None where nothing was there; equal versions mean that nothing changed."""

    schema: str
    before: str | None
    after: str | None

    @property
    def is_change(self) -> bool:
        return self.before != self.after


def migrations_folder(schema: str) -> Path:
    """Where a component keeps its migrations."""
    match schema:
        case "platform":
            return ROOT / "shared" / "database" / "migrations"
        case "ledger":
            return ROOT / "shared" / "ledger" / "migrations"
        case _:
            return ROOT / "services" / schema / "migrations"


async def migrate(admin_url: str, passwords: Mapping[str, str], *, schemas: Sequence[str] = SCHEMAS) -> list[Migrated]:
    """Create roles and schemas, run every component's chain, then set privileges. Returns one entry a component.

    ``admin_url`` names a role that owns the database and may create roles. ``passwords`` maps role names to
    passwords; a role that it does not name keeps the one it has (a new one cannot log in until it is given one).
    A component without a migrations folder is not installed here and is left out. Idempotent. Each migration is a
    transaction of its own, so that after a failure the next call goes on where this one stopped.
    """
    address, tls_arguments = engine_arguments(admin_url)
    engine = create_async_engine(address, poolclass=NullPool, connect_args=tls_arguments)
    try:
        async with engine.connect() as guard:
            await guard.execute(text("select pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK_KEY})
            async with engine.begin() as connection:
                await create_roles(connection, passwords)
            report = []
            for schema in schemas:
                if not migrations_folder(schema).is_dir():
                    continue
                async with engine.connect() as connection:
                    report.append(await _upgrade(connection, schema))
            async with engine.begin() as connection:
                await apply_privileges(connection, [entry.schema for entry in report])
            return report
    finally:
        await engine.dispose()


async def _upgrade(connection: AsyncConnection, schema: str) -> Migrated:
    await connection.execute(text(f'create schema if not exists "{schema}"'))
    await connection.execute(text(f'set search_path to "{schema}", platform'))
    await connection.commit()
    before = await connection.run_sync(_version, schema)
    await connection.run_sync(_run_chain, schema)
    for maker in (await connection.execute(text(partition_makers(schema)))).scalars().all():
        await connection.execute(text(f"select {maker}({_BUSINESS_TIME})"))
    await connection.commit()
    return Migrated(schema, before, await connection.run_sync(_version, schema))


def _run_chain(connection: Connection, schema: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPT_LOCATION).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")  # a folder's name may hold any other separator
    config.set_main_option("version_locations", str(migrations_folder(schema)).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["schema"] = schema
    command.upgrade(config, "head")


def _version(connection: Connection, schema: str) -> str | None:
    version = MigrationContext.configure(connection, opts={"version_table_schema": schema}).get_current_revision()
    connection.rollback()
    return version
