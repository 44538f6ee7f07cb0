"""The door to PostgreSQL: a pool, and transactions that know their business time.

Statements that run once a batch or a request on a hot path use ``Transaction.raw`` (asyncpg); everything else uses
``Transaction.connection`` (SQLAlchemy). Both are one connection in one transaction.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import NamedTuple, TypeVar, cast

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from shared.database.errors import TransactionTimeoutError, is_connection_lost, is_retryable
from shared.database.later import Write, write_together
from shared.database.lending import NOT_FOR_SQLALCHEMY, Lent, RawConnection, lent
from shared.database.tls import engine_arguments

__all__ = ["BUSINESS_TIME", "Database", "Opened", "Opening", "RawConnection", "Transaction"]

T = TypeVar("T")
C = TypeVar("C")

ATTEMPTS_MAX = 5
TRANSACTION_SECONDS_MAX = 5.0  # of a service's role, see shared.database.roles
CONFLICT_PAUSE_SECONDS_MAX = 0.05

# now() is the transaction's start: all effects of one transaction bear one time.
BUSINESS_TIME = "now() + coalesce((select clock_offset from business_clock), interval '0')"
_BUSINESS_TIME = text(f"select {BUSINESS_TIME}")


@dataclass(frozen=True, slots=True)
class Transaction:
    """An open transaction. ``now`` is its business time, in UTC; nothing else tells business code the time.

    ``zone`` is where the programme's days begin and end; None in tools that know no programme. ``later`` is what its
    last statement writes, at the commit or when ``write_later`` is called.
    """

    connection: AsyncConnection
    raw: RawConnection
    now: datetime
    zone: tzinfo | None = None
    later: list[Write] = field(default_factory=list)

    @property
    def today(self) -> date | None:
        """The programme's day; None where the process knows no programme."""
        return None if self.zone is None else self.now.astimezone(self.zone).date()

    async def write_later(self) -> None:
        """Write what was put off, by one statement; nothing where nothing was."""
        writes = self.later[:]
        self.later.clear()
        await write_together(self.raw, writes)


class Opening(NamedTuple):
    """The first statement of a transaction: one row or several, each with ``BUSINESS_TIME`` in its column ``now``."""

    statement: str
    arguments: tuple[object, ...] = ()


_TIME_ALONE = Opening(f"select {BUSINESS_TIME} as now")


class Opened(NamedTuple):
    """A transaction that was opened by a statement of its own, and that statement's rows."""

    transaction: Transaction
    rows: Sequence[asyncpg.Record]

    @property
    def row(self) -> asyncpg.Record:
        """The only row, or the first."""
        return self.rows[0]


class Database:
    """A bounded pool on one database, as one role. ``zone`` is where the programme's days begin and end."""

    def __init__(
        self,
        url: str,
        *,
        connections_max: int = 8,
        connect_timeout_seconds: float = 5.0,
        zone: tzinfo | None = None,
    ) -> None:
        self._zone = zone
        address, tls_arguments = engine_arguments(url)
        self._engine = create_async_engine(
            address,
            pool_size=connections_max,
            max_overflow=0,
            pool_use_lifo=True,  # the connection used last has its statements planned, its caches warm
            pool_timeout=connect_timeout_seconds,
            pool_pre_ping=False,
            connect_args={"timeout": connect_timeout_seconds, **tls_arguments},
        )
        self._snapshots = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @asynccontextmanager
    async def transaction(self, *, is_snapshot: bool = False) -> AsyncIterator[Transaction]:
        """A transaction that commits when the block ends and rolls back when it raises.

        With ``is_snapshot`` all of its statements see what was committed before the first, and none may write.

        BEGIN goes out with the first statement that passes through SQLAlchemy, which is why business time is read
        first: a statement on the raw connection before that would commit by itself.

        Raises:
            TransactionTimeoutError: the connection was lost after ``TRANSACTION_SECONDS_MAX``. The server does say
                that the transaction took too long, but the driver sees only the connection go.
        """
        with _cut_off_by_name() as began:
            async with (self._snapshots if is_snapshot else self._engine).begin() as connection:
                began()
                now = cast("datetime", (await connection.execute(_BUSINESS_TIME)).scalar_one())
                raw = await _raw_in_transaction(connection)
                transaction = Transaction(connection=connection, raw=raw, now=now.astimezone(UTC), zone=self._zone)
                yield transaction
                await transaction.write_later()

    @asynccontextmanager
    async def opened(self, opening: Opening) -> AsyncIterator[Opened]:
        """The same on asyncpg alone, for hot paths: business time comes with the first statement. SQLAlchemy knows
        nothing of it: what passes through ``Transaction.connection`` is refused.
        """
        with _cut_off_by_name() as began:
            async with lent(self._engine) as connection:
                raw = connection.raw
                try:
                    await raw.execute("begin")
                    began()
                    opened = await self._open(raw, opening)
                    yield opened
                    await opened.transaction.write_later()
                    await raw.execute("commit")
                except BaseException as error:
                    await _end(connection, error)
                    raise

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[Transaction]:
        """For reading alone, on asyncpg alone, in the fewest round trips: each statement sees what was committed before
        it, and no transaction is open. What is written would be committed by itself, and so nothing may be.
        """
        async with lent(self._engine) as connection:
            try:
                yield (await self._open(connection.raw, _TIME_ALONE)).transaction
            except BaseException as error:
                if not isinstance(error, Exception) or is_connection_lost(error):
                    await connection.invalidate()
                raise

    @asynccontextmanager
    async def statements(self) -> AsyncIterator[RawConnection]:
        """A connection without a transaction: every statement commits by itself. Not for business effects."""
        async with lent(self._engine) as connection:
            try:
                yield connection.raw
            except BaseException:
                await connection.invalidate()
                raise

    async def run(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Do ``work`` in a transaction of its own; after a deadlock, a serialisation failure, a ``StartAgainError`` or
        the loss of the connection before the commit, again from the start.

        ``work`` must have no effect outside the transaction, since it may run up to ``ATTEMPTS_MAX`` times. A
        connection that is lost while committing is an error: what was committed is not known, and the caller's
        natural key or idempotency record has to find out.
        """
        return await self._attempt(self.transaction, work, _written)

    async def run_opened(self, opening: Opening, work: Callable[[Opened], Awaitable[T]]) -> T:
        """The same in a transaction of ``opened``."""
        return await self._attempt(lambda: self.opened(opening), work, lambda opened: _written(opened.transaction))

    async def run_raw(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """The same for ``work`` that uses ``Transaction.raw`` alone."""
        return await self.run_opened(_TIME_ALONE, lambda opened: work(opened.transaction))

    async def look(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """The same for ``work`` that only reads, on ``Transaction.raw`` alone and without a transaction, as ``glance``
        says."""
        return await self._attempt(self.glance, work, _unwritten)

    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """The same for ``work`` that only reads: all that it sees is of one moment, and nothing can be written."""
        return await self._attempt(lambda: self.transaction(is_snapshot=True), work, _written)

    async def _attempt(
        self,
        begin: Callable[[], AbstractAsyncContextManager[C]],
        work: Callable[[C], Awaitable[T]],
        written: Callable[[C], Awaitable[None]],
    ) -> T:
        for attempt in range(1, ATTEMPTS_MAX + 1):
            is_committing = False
            try:
                async with begin() as begun:
                    result = await work(begun)
                    await written(begun)
                    is_committing = True
            except Exception as error:
                may_try_again = is_retryable(error) or (is_connection_lost(error) and not is_committing)
                if attempt == ATTEMPTS_MAX or not may_try_again:
                    raise
            else:
                return result
            # Two that met in a deadlock meet again at once unless one of them waits a little longer.
            await asyncio.sleep(random.uniform(0, CONFLICT_PAUSE_SECONDS_MAX))  # noqa: S311 -- not a secret  # nosec B311
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _open(self, raw: RawConnection, opening: Opening) -> Opened:
        rows = await raw.fetch(opening.statement, *opening.arguments)
        if not rows:
            raise RuntimeError("a transaction was opened by a statement that answers no row")
        return Opened(Transaction(NOT_FOR_SQLALCHEMY, raw, rows[0]["now"].astimezone(UTC), self._zone), rows)

    async def warm(self) -> None:
        """Open a connection and load its type information, so that the first request does not pay for it."""

        async def introspect(transaction: Transaction) -> None:
            await transaction.raw.fetch("select $1::text[], $2::uuid[], $3::bigint[], $4::bytea[]", [], [], [], [])

        await self.run(introspect)

    async def close(self) -> None:
        """Close every connection. The pool opens new ones if it is used again."""
        await self._engine.dispose()


async def _raw_in_transaction(connection: AsyncConnection) -> RawConnection:
    raw: RawConnection | None = (await connection.get_raw_connection()).driver_connection
    if raw is None or not raw.is_in_transaction():
        raise RuntimeError("no transaction is open on the raw connection: its statements would commit alone")
    return raw


async def _written(transaction: Transaction) -> None:
    """What was put off, before the commit begins: until then a lost connection is a reason to try again."""
    await transaction.write_later()


async def _unwritten(transaction: Transaction) -> None:
    """Who only reads has put nothing off."""
    if transaction.later:
        raise RuntimeError("something was put off to be written where nothing may be written")


async def _end(connection: Lent, error: BaseException) -> None:
    """Leave nothing open on a connection that goes back to the pool. One whose work was cancelled, or that cannot roll
    back, does not go back."""
    if not isinstance(error, Exception):
        await connection.invalidate()
        return
    try:
        await connection.raw.execute("rollback")
    except Exception:  # noqa: BLE001 -- whatever it is, the connection is of no use, and ``error`` is raised
        await connection.invalidate()
    except BaseException:  # cancelled now: whoever had it next would commit what this one was to undo
        await connection.invalidate()
        raise


@contextmanager
def _cut_off_by_name() -> Iterator[Callable[[], None]]:
    """Tell a transaction that the server has cut off from other losses of the connection. Call what it gives once the
    connection is there: waiting for one is not the transaction's time."""
    began_seconds = time.monotonic()

    def begin() -> None:
        nonlocal began_seconds
        began_seconds = time.monotonic()

    try:
        yield begin
    except Exception as error:
        lasted_seconds = time.monotonic() - began_seconds
        if lasted_seconds >= TRANSACTION_SECONDS_MAX and is_connection_lost(error):
            raise TransactionTimeoutError(f"the transaction was cut off after {lasted_seconds:.1f} s") from error
        raise
