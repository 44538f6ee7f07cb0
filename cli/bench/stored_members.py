"""Many members at once, as copies of one who enrolled: rows of real width with ids and hashes of their own."""

import asyncpg

SCHEMA = "members"
PAGE = 100_000
IDENTIFIERS_EACH = 2

# Tables that hold one row a member, the registry's own first: what they refer to must be there.
_TABLES_BY_MEMBER = """
    select columns.table_name
    from information_schema.table_constraints as keys
        join information_schema.key_column_usage as columns using (constraint_schema, constraint_name, table_name)
    where keys.constraint_type = 'PRIMARY KEY' and keys.constraint_schema = $1
    group by columns.table_name
    having array_agg(columns.column_name::text) = array['member_id']
    order by columns.table_name <> 'members', columns.table_name
"""

_COLUMNS = """
    select column_name::text from information_schema.columns
    where table_schema = $1 and table_name = $2 and is_generated = 'NEVER' and is_identity = 'NO'
"""

_STORE_IDENTIFIERS = """
    insert into {schema}.identifiers ({columns})
    select {copied}
    from new_members
        cross join generate_series(1, $1) as ordinal
        cross join (select * from {schema}.identifiers where member_id = $2 limit 1) as model
"""


async def store_members(database: asyncpg.Connection, count: int) -> None:
    """Store ``count`` members like the one who enrolled last, each with ``IDENTIFIERS_EACH`` identifiers."""
    await database.execute("create temporary table new_members (member_id uuid not null)")
    model = await database.fetchval(f"select member_id from {SCHEMA}.members order by member_id desc limit 1")
    tables = [table for (table,) in await database.fetch(_TABLES_BY_MEMBER, SCHEMA)]
    for first in range(0, count, PAGE):
        await database.execute("truncate new_members")
        await database.execute(
            "insert into new_members select uuidv7() from generate_series(1, $1)", min(PAGE, count - first)
        )
        for table in tables:
            columns, copied = await _copying(database, table, {"member_id": "new_members.member_id"})
            await database.execute(
                f"insert into {SCHEMA}.{table} ({columns}) select {copied} from new_members"
                f" cross join (select * from {SCHEMA}.{table} where member_id = $1) as model",
                model,
            )
        own_hash = "'1.' || left(translate(encode(sha256((new_members.member_id::text || ordinal)::bytea), 'base64'),"
        own = {
            "member_id": "new_members.member_id",
            "identifier_id": "uuidv7()",
            "identifier_hash": f"{own_hash} '+/=', '-_'), 43)",
        }
        columns, copied = await _copying(database, "identifiers", own)
        statement = _STORE_IDENTIFIERS.format(schema=SCHEMA, columns=columns, copied=copied)
        await database.execute(statement, IDENTIFIERS_EACH, model)
    await database.execute("drop table new_members")
    await database.execute("vacuum analyze")


async def _copying(database: asyncpg.Connection, table: str, own: dict[str, str]) -> tuple[str, str]:
    """The columns of a table, and where each comes from: ``own`` says what is not the model's."""
    columns = [column for (column,) in await database.fetch(_COLUMNS, SCHEMA, table)]
    return ", ".join(columns), ", ".join(own.get(column, f"model.{column}") for column in columns)
