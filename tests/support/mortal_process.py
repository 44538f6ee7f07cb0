"""A process that ends at a chosen statement of its transactions, or whose commit is done and never answered."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest

from tests.support.driver_doors import heard_at_the_doors


class KilledError(Exception):
    """The process is gone."""


class Mortal:
    """``begins`` says from which statement on a transaction is meant. That one, unless it is its BEGIN, and all others
    up to the commit are counted."""

    def __init__(self, begins: Callable[[str], bool]) -> None:
        self._begins = begins
        self._open: set[int] = set()
        self._unanswered: set[int] = set()
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

    def loses_the_answer(self, connection: object) -> bool:
        """Whether what this connection has just sent was the commit that is not answered. Said once."""
        is_lost = id(connection) in self._unanswered
        self._unanswered.discard(id(connection))
        return is_lost

    def sends(self, connection: object, statement: str) -> None:
        """A statement is about to go out.

        Raises:
            KilledError: the process has ended.
        """
        words = statement.strip().lower()
        if self._begins(words):
            self._open.add(id(connection))
            if words.startswith("begin"):
                return
        if id(connection) not in self._open:
            return
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
            self._unanswered.add(id(connection))


@contextmanager
def mortal(monkeypatch: pytest.MonkeyPatch, begins: Callable[[str], bool]) -> Iterator[Mortal]:
    """Every statement of this process goes by it, however it is sent."""
    one = Mortal(begins)
    connection: Any = asyncpg.Connection
    with heard_at_the_doors(monkeypatch, one.sends), monkeypatch.context() as patch:
        execute = connection.execute  # begin, commit and rollback leave by this door

        async def executing(self: Any, query: str, *args: Any, **options: Any) -> Any:
            try:
                answer = await execute(self, query, *args, **options)
            except KilledError:
                if not args:
                    await execute(self, "rollback")  # the server's work, once nobody is there to commit
                raise
            if one.loses_the_answer(self):
                self.terminate()
                raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
            return answer

        patch.setattr(connection, "execute", executing)
        yield one
