"""The relay: the outbox's rows to Kafka, in order per key, each at least once.

It reads the oldest rows of its slots (never after a cursor: a transaction that took its ids first and committed last is
simply there the next time), sends them in order, awaits every acknowledgement and deletes just those. Whoever reads
them drops repetitions by event id.
"""

import asyncio
from contextlib import suppress

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from shared.database import Database
from shared.database.engine import RawConnection
from shared.database.errors import postgres_error_of
from shared.kafka.errors import ProducerBrokenError, ProducerUnavailableError
from shared.kafka.producer import EventProducer, OutgoingRecord
from shared.kafka.settings import KafkaSettings
from shared.outbox.leases import Leases
from shared.outbox.metrics import RELAYED, SENT_AGAIN
from shared.outbox.recording import unpack_headers

POLL_SECONDS = 0.01
ROWS_PER_SLOT_MAX = 250
SLOT_BYTES_MAX = 2_000_000
SEND_SECONDS_MAX = 10.0
BACK_OFF_SECONDS = 0.5
NEW_PRODUCERS_MAX = 3

log = structlog.get_logger()

_READ = """
    select oldest.slot, oldest.id, oldest.topic, oldest.key, oldest.headers, oldest.body
    from unnest($1::smallint[]) as held (slot)
        cross join lateral (
            select slot, id, topic, key, headers, body,
                sum(octet_length(body)) over (order by id rows unbounded preceding) - octet_length(body) as bytes_before
            from (
                select * from outbox where outbox.slot = held.slot order by id limit $2
            ) as first
        ) as oldest
    where oldest.bytes_before < $3
"""

# Where another relay has taken a slot over, its rows are the other's to delete.
_DELETE = """
    delete from outbox
    using unnest($1::smallint[], $2::bigint[]) as sent (slot, id)
    where outbox.slot = sent.slot and outbox.id = sent.id and sent.slot in (
        select outbox_slots.slot
        from outbox_slots
            join unnest($4::smallint[], $5::bigint[]) as held (slot, epoch) using (slot, epoch)
        where outbox_slots.owner = $3
    )
"""


class RelayStoppedError(Exception):
    """Producer after producer died: the process ends, so that a new one begins with everything new."""


class Relay:
    """Relays one service's outbox until told to stop. Any number of them share the slots.

    ``instance`` names this relay among the living ones; a process that restarts under its old name goes on at once.
    """

    def __init__(self, database: Database, kafka_settings: KafkaSettings, instance: str) -> None:
        self._database = database
        self._producer = EventProducer(kafka_settings, records_under_way_max=16 * ROWS_PER_SLOT_MAX)
        self._leases = Leases(instance)
        self._broken_in_a_row = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until ``stop``. A database or broker that is away is waited for.

        Raises:
            RelayStoppedError: ``NEW_PRODUCERS_MAX`` new producers died in a row.
            asyncpg.PostgresError: the database refuses the statements themselves (a table or a right is missing).
        """
        try:
            while not stop.is_set():
                try:
                    async with self._database.statements() as connection:
                        await self._relay(connection, stop)
                except (asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError, OSError) as error:
                    _raise_if_refused(error)
                    log.warning("relay waits for the database", error=type(error).__name__)
                    await _pause(stop, BACK_OFF_SECONDS)
        finally:
            await self._producer.stop()

    async def _relay(self, connection: RawConnection, stop: asyncio.Event) -> None:
        # The queue is empty most of the time, and the planner remembers: without this it scans all of it when it fills.
        await connection.execute("set enable_seqscan = off")
        while not stop.is_set():
            await self._leases.keep(connection)
            if not await self._relay_once(connection, stop):
                await _pause(stop, POLL_SECONDS)
        await self._leases.leave(connection)

    async def _relay_once(self, connection: RawConnection, stop: asyncio.Event) -> bool:
        """One round over all our slots. False when there was nothing to do."""
        held = self._leases.held()
        rows = await connection.fetch(_READ, list(held), ROWS_PER_SLOT_MAX, SLOT_BYTES_MAX)
        if not rows:
            return False
        if await self._sent([_outgoing(row) for row in rows]):
            deleted = await connection.execute(
                _DELETE,
                [row[0] for row in rows],
                [row[1] for row in rows],
                self._leases.owner,
                list(held),
                list(held.values()),
            )
            self._count(len(rows), int(deleted.rpartition(" ")[2]))
        else:
            await _pause(stop, BACK_OFF_SECONDS)
        return True

    async def _sent(self, records: list[OutgoingRecord]) -> bool:
        """Send all, or drop the producer: what it still holds must not go out beside what is read again."""
        try:
            await self._producer.send_all(records, deadline_seconds=SEND_SECONDS_MAX)
        except ProducerUnavailableError as error:
            cause = "unavailable"
            log.warning("relay waits for the broker", detail=str(error))
        except ProducerBrokenError as error:
            cause = "broken"
            self._broken_in_a_row += 1
            log.exception("producer died", in_a_row=self._broken_in_a_row)
            if self._broken_in_a_row > NEW_PRODUCERS_MAX:
                raise RelayStoppedError(f"{NEW_PRODUCERS_MAX} new producers died in a row: {error}") from error
        else:
            self._broken_in_a_row = 0
            return True
        SENT_AGAIN.labels(cause).inc()
        await self._producer.drop()
        return False

    def _count(self, sent: int, deleted: int) -> None:
        RELAYED.inc(deleted)
        if deleted < sent:
            SENT_AGAIN.labels("lease_lost").inc()


def _outgoing(row: "asyncpg.Record") -> OutgoingRecord:
    _, _, topic, key, headers, body = row
    return OutgoingRecord(topic, key.encode(), body, unpack_headers(headers))


def _raise_if_refused(error: BaseException) -> None:
    """Waiting helps against an outage, not against a missing table or right (class 42)."""
    refusal = postgres_error_of(error)
    if refusal is not None and str(refusal.sqlstate).startswith("42"):
        raise refusal from error


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
