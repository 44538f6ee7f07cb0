"""The driver's own doors: every round trip of this process leaves by one of them, however it is asked for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from asyncpg.prepared_stmt import PreparedStatement


@contextmanager
def heard_at_the_doors(monkeypatch: pytest.MonkeyPatch, hear: Callable[[Any, str], None]) -> Iterator[None]:
    """``hear`` is told connection and statement just before each goes out; what it raises keeps it inside."""
    connection: Any = asyncpg.Connection  # private names: they are looked at again with each release of the driver
    prepared: Any = PreparedStatement
    execute, fetch, copy = connection.execute, connection._execute, connection._copy_in
    run = prepared._PreparedStatement__do_execute  # SQLAlchemy's way

    async def executing(self: Any, query: str, *args: Any, **options: Any) -> Any:
        if not args:  # else it goes through the next one
            hear(self, query)
        return await execute(self, query, *args, **options)

    async def fetching(self: Any, query: str, *args: Any, **options: Any) -> Any:
        hear(self, query)
        return await fetch(self, query, *args, **options)

    async def copying(self: Any, statement: str, *args: Any, **options: Any) -> Any:
        hear(self, statement)
        return await copy(self, statement, *args, **options)

    async def running(self: Any, executor: Any) -> Any:
        hear(self._connection, self._query)
        return await run(self, executor)

    with monkeypatch.context() as patch:
        patch.setattr(connection, "execute", executing)
        patch.setattr(connection, "_execute", fetching)
        patch.setattr(connection, "_copy_in", copying)
        patch.setattr(prepared, "_PreparedStatement__do_execute", running)
        yield
