"""Looks for values in every column of every table that a service has: as text, and as the bytes of a bytea."""

from collections.abc import Iterable

from shared.database import Database

_TABLES = "select relname from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')"


async def tables_holding(database: Database, values: Iterable[str]) -> dict[str, list[str]]:
    """Table → the values that stand anywhere in its rows, in whatever letter case. Reads every table."""
    wanted = list(values)
    found: dict[str, list[str]] = {}
    async with database.transaction() as transaction:
        for table in [row["relname"] for row in await transaction.raw.fetch(_TABLES)]:
            rows = await transaction.raw.fetch(f'select t::text as line from "{table}" as t')
            text = "\n".join(row["line"] for row in rows)
            if held := [value for value in wanted if _stands_in(value, text)]:
                found[table] = held
    return found


def _stands_in(value: str, text: str) -> bool:
    spellings = {value, value.lower(), value.upper()}
    as_bytes = {spelling.encode().hex() for spelling in spellings}
    return value.lower() in text.lower() or any(spelled in text for spelled in as_bytes)
