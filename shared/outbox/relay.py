"""The relay: the outbox's rows to Kafka, in order per key, each at least once.

It reads the oldest rows of the slots it leases, sends them in order, awaits every acknowledgement and deletes just
those. Whoever reads them drops repetitions by event id.
"""

import asyncio

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from shared.database import Database
from shared.database.engine import RawConnection
from shared.database.errors import postgres_error_of
from shared.kafka.settings import KafkaSettings
from shared.outbox.ddl import SLOTS
from shared.outbox.lane import Lane, read_oldest
from shared.outbox.leases import Leases

POLL_SECONDS = 0.01
BACK_OFF_SECONDS = 0.5
LANES = 2  # one waits for the broker while the other's rows are read and deleted

# The last one is what asyncpg says when it is given a statement after the server has ended the idle connection.
_DATABASE_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    SQLAlchemyError,
    OSError,
    asyncpg.InternalClientError,
)

log = structlog.get_logger()


class Relay:
    """Relays one service's outbox until told to stop. Any number of relays share the slots.

    ``instance`` names this relay among the living ones; a process that restarts under its old name goes on at once.
    """

    def __init__(self, database: Database, kafka_settings: KafkaSettings, instance: str) -> None:
        self._database = database
        self._leases = Leases(instance)
        self._lanes = [Lane(kafka_settings, self._leases, -(-SLOTS // LANES)) for _ in range(LANES)]
        self._busy: set[int] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until ``stop``. A database or broker that is away is waited for.

        Raises:
            RelayStoppedError: new producers died one after the other.
            asyncpg.PostgresError: the database refuses the statements themselves (a table or a right is missing).
        """
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stopping.done():
                try:
                    async with self._database.statements() as connection:
                        await self._relay(connection, stopping)
                except _DATABASE_ERRORS as error:
                    _raise_if_refused(error)
                    log.warning("relay waits for the database", error=type(error).__name__)
                    await asyncio.wait((stopping,), timeout=BACK_OFF_SECONDS)
        finally:
            stopping.cancel()
            for lane in self._lanes:
                await lane.stop()

    async def _relay(self, connection: RawConnection, stopping: "asyncio.Task[bool]") -> None:
        # The queue is empty most of the time, and the planner remembers: without this it scans all of it when it fills.
        await connection.execute("set enable_seqscan = off")
        while not stopping.done():
            await self._leases.keep(connection)
            held = self._leases.held()
            if held and (rows := await read_oldest(connection, list(held))):
                await self._work(connection, stopping, rows, held)
            else:
                await asyncio.wait((stopping,), timeout=POLL_SECONDS)
        await self._leases.leave(connection)

    async def _work(
        self,
        connection: RawConnection,
        stopping: "asyncio.Task[bool]",
        rows: list[asyncpg.Record],
        held: dict[int, int],
    ) -> None:
        """All lanes side by side, until there is nothing left to do in any."""
        turn = asyncio.Lock()
        self._busy = set(range(LANES))
        tasks = [
            asyncio.create_task(
                self._drain(number, connection, turn, stopping, [row for row in rows if row[0] % LANES == number], held)
            )
            for number in range(LANES)
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _drain(
        self,
        number: int,
        connection: RawConnection,
        turn: asyncio.Lock,
        stopping: "asyncio.Task[bool]",
        rows: list[asyncpg.Record],
        held: dict[int, int],
    ) -> None:
        while not stopping.done():
            if rows:
                self._busy.add(number)
                if not await self._lanes[number].send_and_delete(connection, turn, rows, held):
                    await asyncio.wait((stopping,), timeout=BACK_OFF_SECONDS)
            else:
                self._busy.discard(number)
                if not self._busy:
                    return
                await asyncio.wait((stopping,), timeout=POLL_SECONDS)
            async with turn:
                await self._leases.keep(connection, is_free=lambda slot: slot % LANES == number)
                held = self._leases.held()
                slots = [slot for slot in held if slot % LANES == number]
                rows = await read_oldest(connection, slots) if slots else []


def _raise_if_refused(error: BaseException) -> None:
    """Waiting helps against an outage, not against a missing table or right (class 42)."""
    refusal = postgres_error_of(error)
    if refusal is not None and str(refusal.sqlstate).startswith("42"):
        raise refusal from error
