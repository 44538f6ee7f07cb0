"""Looks for values in everything that is stored: every column of every row of every table, also inside documents."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress

import asyncpg
import zstandard

from services.accrual.repository.stored_documents import UnknownFormatError, decompress

_TABLES = """
    select nspname as schema, relname as name
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('r', 'm') and nspname <> 'information_schema' and nspname not like 'pg\\_%'
    order by nspname, relname
"""


async def traces_in_tables(admin_url: str, values: Collection[bytes]) -> list[str]:
    """Where one of the values stands, as ``schema.table.column``; partitions are tables of their own."""
    connection = await asyncpg.connect(admin_url)
    try:
        found = []
        for table in await connection.fetch(_TABLES):
            name = f"{table['schema']}.{table['name']}"
            # The names come from the catalogue.
            for row in await connection.fetch(f'select * from "{table["schema"]}"."{table["name"]}"'):
                found += [f"{name}.{column}" for column, value in row.items() if holds(value, values)]
        return sorted(set(found))
    finally:
        await connection.close()


def holds(stored: object, values: Collection[bytes]) -> bool:
    """Whether one of the values stands in what is stored, as text, as bytes, or compressed."""
    return any(value in rendering for rendering in _renderings(stored) for value in values)


def spellings(texts: Iterable[str]) -> list[bytes]:
    """Values to look for, each as it is, and in the letter cases that somebody might have brought it to."""
    return sorted({spelling.encode() for text in texts for spelling in (text, text.lower(), text.upper())})


def _renderings(stored: object) -> Iterator[bytes]:
    if isinstance(stored, bytes):
        yield stored
        yield stored.hex().encode()
        with suppress(UnknownFormatError, zstandard.ZstdError):  # bytes of another kind
            yield decompress(stored)
    elif isinstance(stored, Sequence) and not isinstance(stored, str):
        for part in stored:
            yield from _renderings(part)
    else:
        yield str(stored).encode()
