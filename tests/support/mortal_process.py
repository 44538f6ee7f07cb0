"""A process that ends at a chosen statement of its transactions, or whose commit is done and never answered."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from asyncpg.prepared_stmt import PreparedStatement


class KilledError(Exception):
    """The process is gone."""


class Mortal:
    """``begins`` says from which statement on a transaction is meant. That one, unless it is its BEGIN, and all others
    up to the commit are counted."""

    def __init__(self, begins: Callable[[str], bool]) -> None:
        self._begins = begins
        self._open: set[int] = set()
        self._left = -1
        self._is_commit_unanswered = False
        self.has_died = False

    def dies_at(self, number: int) -> None:
        """It ends instead of sending this statement, counted from zero."""
        self._open.clear()
        self._left, self._is_commit_unanswered, self.has_died = number, False, False

    def loses_the_answer_to_its_commit(self) -> None:
        """The next commit is done, and the connection cut before the answer."""
        self.dies_at(-1)
        self._is_commit_unanswered = True

    def sends(self, connection: object, statement: str) -> bool:
        """A statement is about to go out; whether it is a commit that will not be answered.

        Raises:
            KilledError: the process has ended.
        """
        words = statement.strip().lower()
        if self._begins(words):
            self._open.add(id(connection))
            if words.startswith("begin"):
                return False
        if id(connection) not in self._open:
            return False
        is_commit = words.startswith("commit")
        if is_commit or words.startswith("rollback"):
            self._open.discard(id(connection))
        if self._left == 0:
            self._open.discard(id(connection))
            self._left, self.has_died = -1, True
            raise KilledError
        if self._left > 0:
            self._left -= 1
        if is_commit and self._is_commit_unanswered:
            self._is_commit_unanswered = False
            return True
        return False


@contextmanager
def mortal(monkeypatch: pytest.MonkeyPatch, begins: Callable[[str], bool]) -> Iterator[Mortal]:
    """Every statement of this process goes by it, however it is sent."""
    one = Mortal(begins)
    connection: Any = asyncpg.Connection  # the driver's own doors, as in counted_statements
    prepared: Any = PreparedStatement
    execute, fetch, copy = connection.execute, connection._execute, connection._copy_in
    run = prepared._PreparedStatement__do_execute  # SQLAlchemy's way

    async def executing(self: Any, query: str, *args: Any, **options: Any) -> Any:
        try:
            is_unanswered = not args and one.sends(self, query)  # with arguments it goes through the next one
        except KilledError:
            await execute(self, "rollback")  # the server's work, once nobody is there to commit
            raise
        answer = await execute(self, query, *args, **options)
        if is_unanswered:
            self.terminate()
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        return answer

    async def fetching(self: Any, query: str, *args: Any, **options: Any) -> Any:
        one.sends(self, query)
        return await fetch(self, query, *args, **options)

    async def copying(self: Any, statement: str, *args: Any, **options: Any) -> Any:
        one.sends(self, statement)
        return await copy(self, statement, *args, **options)

    async def running(self: Any, executor: Any) -> Any:
        one.sends(self._connection, self._query)
        return await run(self, executor)

    with monkeypatch.context() as patch:
        patch.setattr(connection, "execute", executing)
        patch.setattr(connection, "_execute", fetching)
        patch.setattr(connection, "_copy_in", copying)
        patch.setattr(prepared, "_PreparedStatement__do_execute", running)
        yield one
