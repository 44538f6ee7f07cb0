"""Reads that are asked for together and share round trips, so that who waits for many facts waits for few answers.

A read is any coroutine function whose first argument is a transaction, as every repository's is. It asks on
``Transaction.raw`` and cannot tell whether it goes alone.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Concatenate, Generic, NamedTuple, ParamSpec, TypeVar, cast

from shared.database.engine import RawConnection, Transaction

P = ParamSpec("P")
T = TypeVar("T")

# Texts of statements, which are constants of the code: far more than there are.
STATEMENTS_CACHED_MAX = 512

_PARAMETER = re.compile(r"\$(\d+)")


class Answer(Generic[T]):
    """What a read has found, once its ``Reads`` are answered."""

    def __init__(self, read: Callable[[Transaction], Awaitable[T]]) -> None:
        self._read = read
        self._found: list[T] = []

    @property
    def value(self) -> T:
        """What was found."""
        return self._found[0]

    async def find(self, transaction: Transaction) -> None:
        """Do the read."""
        self._found = [await self._read(transaction)]


class Reads:
    """Reads of one transaction that do not need each other's answers.

    They go one after the other, in the order in which they were asked for; or, with ``sharing_trips``, side by side:
    whatever statements they all wait for at a moment travel as one, on one snapshot. Each is answered as it would be
    alone. Shared trips are for single documents (arrays of records are read more slowly than rows) and for statements
    that only read; a read that uses ``Transaction.connection`` cannot share.
    """

    def __init__(self, transaction: Transaction, *, sharing_trips: bool = False) -> None:
        self._transaction = transaction
        self._is_sharing = sharing_trips
        self._asked: list[Answer[Any]] = []

    def ask(
        self, read: Callable[Concatenate[Transaction, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> Answer[T]:
        """Ask for a read with these arguments: its value is there when ``answered`` has ended."""
        answer: Answer[T] = Answer(lambda transaction: read(transaction, *args, **kwargs))
        self._asked.append(answer)
        return answer

    async def answered(self) -> None:
        """Do all that was asked for since the last time. What one of them raises is raised when all have ended."""
        asked, self._asked = self._asked, []
        if self._is_sharing and len(asked) > 1:
            await _side_by_side(asked, self._transaction)
        else:
            for answer in asked:
                await answer.find(self._transaction)


async def _side_by_side(asked: Sequence[Answer[Any]], transaction: Transaction) -> None:
    trips = _SharedTrips(transaction.raw, len(asked))
    shared = replace(transaction, raw=cast("RawConnection", trips))

    async def find(answer: Answer[Any]) -> None:
        try:
            await answer.find(shared)
        finally:
            await trips.leave()

    for result in await asyncio.gather(*[find(answer) for answer in asked], return_exceptions=True):
        if result is not None:
            raise result


class _Question(NamedTuple):
    statement: str
    arguments: Sequence[object]
    rows: "asyncio.Future[Sequence[Any]]"


class _SharedTrips:
    """Stands for the raw connection of several reads: a trip begins as soon as each of them waits for an answer."""

    def __init__(self, raw: RawConnection, reads: int) -> None:
        self._raw = raw
        self._reads = reads
        self._waiting: list[_Question] = []

    async def fetch(self, statement: str, *arguments: object) -> Sequence[Any]:
        """The rows, which know their columns by place and by name as the driver's do."""
        question = _Question(statement, arguments, asyncio.get_running_loop().create_future())
        self._waiting.append(question)
        await self._go_if_all_wait()
        return await question.rows

    async def fetchrow(self, statement: str, *arguments: object) -> Any:
        """The first row, or None."""
        rows = await self.fetch(statement, *arguments)
        return rows[0] if rows else None

    async def fetchval(self, statement: str, *arguments: object) -> Any:
        """The first column of the first row, or None."""
        row = await self.fetchrow(statement, *arguments)
        return None if row is None else row[0]

    async def leave(self) -> None:
        """A read has ended, however: nobody waits for it any more."""
        self._reads -= 1
        await self._go_if_all_wait()

    async def _go_if_all_wait(self) -> None:
        self._waiting = [question for question in self._waiting if not question.rows.done()]  # but for the cancelled
        if not self._waiting or len(self._waiting) < self._reads:
            return
        questions, self._waiting = self._waiting, []
        try:
            found = await self._ask(questions)
        except Exception as error:  # noqa: BLE001 -- each read raises it from its own statement
            for question in questions:
                if not question.rows.done():
                    question.rows.set_exception(error)
            return
        for question, rows in zip(questions, found, strict=True):
            if not question.rows.done():
                question.rows.set_result(rows)

    async def _ask(self, questions: Sequence[_Question]) -> list[Sequence[Any]]:
        if len(questions) == 1:
            return [await self._raw.fetch(questions[0].statement, *questions[0].arguments)]
        statements = tuple([question.statement for question in questions])
        kinds = [await _row_class(self._raw, statement) for statement in statements]
        arguments = [argument for question in questions for argument in question.arguments]
        counts = tuple([len(question.arguments) for question in questions])
        answered = await self._raw.fetchrow(_as_one(statements, counts), *arguments)
        if answered is None:
            raise AssertionError("unreachable: a statement of arrays has one row")
        return [[kind(row) for row in rows] for kind, rows in zip(kinds, answered, strict=True)]


@lru_cache(maxsize=STATEMENTS_CACHED_MAX)
def _as_one(statements: Sequence[str], counts: Sequence[int]) -> str:
    """A statement of which each column is an array of the rows of one of these, their parameters counted on."""
    columns: list[str] = []
    before = 0
    for statement, count in zip(statements, counts, strict=True):
        columns.append(f"array(select answered from (\n{_moved(statement, before)}\n) as answered)")
        before += count
    return "select " + ",\n".join(columns)


def _moved(statement: str, before: int) -> str:
    """The same statement with so many parameters before its own."""
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + before}", statement)


class _Row(tuple[Any, ...]):
    """A row of a shared trip: a tuple whose columns have names, too."""

    __slots__ = ()
    places: dict[str, int] = {}  # noqa: RUF012 -- of each subclass, one a statement

    def __getitem__(self, key: Any) -> Any:
        return tuple.__getitem__(self, self.places[key] if isinstance(key, str) else key)

    def values(self) -> tuple[Any, ...]:
        """The columns, as the driver's rows give them."""
        return self


_ROW_CLASSES: dict[str, type[_Row]] = {}


async def _row_class(raw: RawConnection, statement: str) -> type[_Row]:
    """The names of a statement's columns; the server is asked for them once a process."""
    known = _ROW_CLASSES.get(statement)
    if known is None:
        columns = (await raw.prepare(statement)).get_attributes()
        places = {column.name: place for place, column in enumerate(columns)}
        if len(_ROW_CLASSES) >= STATEMENTS_CACHED_MAX:
            _ROW_CLASSES.clear()
        known = _ROW_CLASSES[statement] = type("_NamedRow", (_Row,), {"__slots__": (), "places": places})
    return known
