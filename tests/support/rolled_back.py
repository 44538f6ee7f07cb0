"""What some work decides and writes, looked at and undone: to compare two ways to the same end."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from re import Pattern
from typing import Any

from shared.database import Database, Transaction


class _RolledBackError(Exception):
    """Nothing stays."""


async def rolled_back(
    database: Database,
    work: Callable[[Transaction], Awaitable[list[Any]]],
    *,
    essence: Callable[[Any], Any],
    written: Sequence[str],
    told_by_chance: Pattern[str],
) -> list[Any]:
    """The ``essence`` of each that was decided, the rows that ``written`` reads, and what was told, but for what is
    there by chance, ids and times; nothing of it stays."""
    seen: list[Any] = []
    with suppress(_RolledBackError):
        async with database.transaction() as transaction:
            seen += [essence(one) for one in await work(transaction)]
            await transaction.write_later()
            for statement in written:
                seen.append([tuple(row) for row in await transaction.raw.fetch(statement)])
            told = await transaction.raw.fetch("select body from outbox order by slot, id")
            seen.append([told_by_chance.sub("", row["body"].decode()) for row in told])
            raise _RolledBackError
    return seen
