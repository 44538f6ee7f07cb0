"""What a transaction sends to the server, statement by statement, from BEGIN to COMMIT."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from asyncpg.prepared_stmt import PreparedStatement

BEGINNINGS, ENDS = ("begin",), ("commit", "rollback")


class Statements:
    """Statements by connection, in the order in which they were sent."""

    def __init__(self) -> None:
        self._sent: dict[int, list[str]] = defaultdict(list)

    def add(self, connection: object, statement: str) -> None:
        """A statement goes out."""
        self._sent[id(connection)].append(" ".join(statement.lower().rstrip("; ").split()))

    def of_transaction_with(self, fragment: str) -> list[str]:
        """The statements between BEGIN and COMMIT of the only transaction of which one has this in it."""
        found = [one for one in self._transactions() if any(fragment in statement for statement in one)]
        (only,) = found
        return only

    def _transactions(self) -> Iterator[list[str]]:
        for sent in self._sent.values():
            inside: list[str] | None = None
            for statement in sent:
                if statement.startswith(BEGINNINGS):
                    inside = []
                elif statement.startswith(ENDS) and inside is not None:
                    yield inside
                    inside = None
                elif inside is not None:
                    inside.append(statement)


@contextmanager
def counted_statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[Statements]:
    """Write down every round trip of every connection of this process, however it was asked for."""
    statements = Statements()
    connection: Any = asyncpg.Connection  # the driver's own doors, whatever they are called
    prepared: Any = PreparedStatement
    execute, fetch, copy = connection.execute, connection._execute, connection._copy_in
    run = prepared._PreparedStatement__do_execute  # SQLAlchemy's way

    async def executing(self: Any, query: str, *args: Any, **options: Any) -> Any:
        if not args:  # else it goes through the next one
            statements.add(self, query)
        return await execute(self, query, *args, **options)

    async def fetching(self: Any, query: str, *args: Any, **options: Any) -> Any:
        statements.add(self, query)
        return await fetch(self, query, *args, **options)

    async def copying(self: Any, statement: str, *args: Any, **options: Any) -> Any:
        statements.add(self, statement)
        return await copy(self, statement, *args, **options)

    async def running(self: Any, executor: Any) -> Any:
        statements.add(self._connection, self._query)
        return await run(self, executor)

    with monkeypatch.context() as patch:
        patch.setattr(connection, "execute", executing)
        patch.setattr(connection, "_execute", fetching)
        patch.setattr(connection, "_copy_in", copying)
        patch.setattr(prepared, "_PreparedStatement__do_execute", running)
        yield statements
