"""Turns the declared roles into roles and privileges in the database."""

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database.roles import Role, declared_roles, privileges_on

_FIND_ROLE = text("select 1 from pg_roles where rolname = :name")
_SETTINGS_OF_ROLE = text("""
    select unnest(setconfig)
    from pg_db_role_setting
        join pg_roles on pg_roles.oid = setrole
    where rolname = :name and setdatabase = 0
""")
# CREATE ROLE takes no parameters: the server itself quotes the password.
_QUOTE_LITERAL = text("select quote_literal(cast(:value as text))")
_TABLES = text("""
    select class.relname
    from pg_class as class
        join pg_namespace as namespace on namespace.oid = class.relnamespace
    where namespace.nspname = :schema
        and class.relkind in ('r', 'p', 'v', 'm')
        and not class.relispartition  -- rows reach a partition through its table only
    order by class.relname
""")


async def create_roles(connection: AsyncConnection, passwords: Mapping[str, str]) -> None:
    """Create what is missing, and set every role's password (where given), limits and search path."""
    for role in declared_roles():
        if (await connection.execute(_FIND_ROLE, {"name": role.name})).first() is None:
            await connection.execute(text(f"create role {role.name} login"))
        if (password := passwords.get(role.name)) is not None:
            quoted = (await connection.execute(_QUOTE_LITERAL, {"value": password})).scalar_one()
            await connection.exec_driver_sql(f"alter role {role.name} login password {quoted}")
        await _set_up(connection, role)


async def _set_up(connection: AsyncConnection, role: Role) -> None:
    """Roles belong to the whole server: what is right already is left alone, so that two migrations do not collide."""
    has = set((await connection.execute(_SETTINGS_OF_ROLE, {"name": role.name})).scalars())
    path = ", ".join(role.search_path)
    if f"search_path={path}" not in has:
        await connection.execute(text(f"alter role {role.name} set search_path to {path}"))
    for setting, value in role.limits:
        if f"{setting}={value}" not in has:
            await connection.execute(text(f"alter role {role.name} set {setting} to '{value}'"))


async def apply_privileges(connection: AsyncConnection, schemas: Sequence[str]) -> None:
    """Give every role exactly what is declared on the schemas that are there, and nothing to anybody else."""
    database = (await connection.execute(text("select quote_ident(current_database())"))).scalar_one()
    await connection.exec_driver_sql(f"revoke all on database {database} from public")
    for role in declared_roles():
        await connection.exec_driver_sql(f"grant connect, temporary on database {database} to {role.name}")
    for schema in schemas:
        tables = [row.relname for row in await connection.execute(_TABLES, {"schema": schema})]
        for role in declared_roles():
            await _apply_to_schema(connection, role, schema, tables)


async def _apply_to_schema(connection: AsyncConnection, role: Role, schema: str, tables: Sequence[str]) -> None:
    if schema not in role.search_path:
        await connection.exec_driver_sql(f"revoke all on all tables in schema {schema} from {role.name}")
        await connection.exec_driver_sql(f"revoke all on schema {schema} from {role.name}")
        return
    await connection.exec_driver_sql(f"grant usage on schema {schema} to {role.name}")
    if schema == "ledger":
        # Its own migrations grant what its code needs: a clean slate here would take that away again.
        await connection.exec_driver_sql(f"grant select on ledger.alembic_version to {role.name}")
        return
    await connection.exec_driver_sql(f"revoke all on all tables in schema {schema} from {role.name}")
    for table in tables:
        granted = ", ".join(privileges_on(role, schema, table))
        await connection.exec_driver_sql(f'grant {granted} on {schema}."{table}" to {role.name}')
    if not role.is_reader and schema == role.search_path[0]:
        await connection.exec_driver_sql(f"grant usage on all sequences in schema {schema} to {role.name}")
