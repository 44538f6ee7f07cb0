"""A lane: some of the slots, one connection to Kafka. The oldest rows are read, sent in order, and deleted."""

import asyncio

import asyncpg
import structlog

from shared.database.engine import RawConnection
from shared.kafka.errors import ProducerBrokenError, ProducerUnavailableError
from shared.kafka.producer import EventProducer, OutgoingRecord
from shared.kafka.settings import KafkaSettings
from shared.outbox.leases import Leases
from shared.outbox.metrics import RELAYED, SENT_AGAIN
from shared.outbox.recording import unpack_headers

ROWS_PER_SLOT_MAX = 250
SLOT_BYTES_MAX = 2_000_000
SEND_SECONDS_MAX = 10.0
NEW_PRODUCERS_MAX = 3

log = structlog.get_logger()

# No cursor: a transaction that took its ids first and committed last is simply there the next time.
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
    order by oldest.slot, oldest.id
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


async def read_oldest(connection: RawConnection, slots: list[int]) -> list[asyncpg.Record]:
    """The oldest rows of these slots, in order within each."""
    return await connection.fetch(_READ, slots, ROWS_PER_SLOT_MAX, SLOT_BYTES_MAX)


class Lane:
    """Sends and deletes. All lanes share one database connection, a statement at a time under ``turn``, so that one
    lane's statements run while another waits for the broker."""

    def __init__(self, kafka_settings: KafkaSettings, leases: Leases, slots_max: int) -> None:
        self._producer = EventProducer(kafka_settings, records_under_way_max=slots_max * ROWS_PER_SLOT_MAX)
        self._leases = leases
        self._broken_in_a_row = 0
        self._is_waiting = False

    async def send_and_delete(
        self, connection: RawConnection, turn: asyncio.Lock, rows: list[asyncpg.Record], held: dict[int, int]
    ) -> bool:
        """False when the rows must be read and sent again. ``held`` are the epochs under which they were read."""
        if not await self._is_sent([_outgoing(row) for row in rows]):
            return False
        slots, ids = [row[0] for row in rows], [row[1] for row in rows]
        async with turn:
            status = await connection.execute(_DELETE, slots, ids, self._leases.owner, list(held), list(held.values()))
        deleted = int(status.rpartition(" ")[2])
        RELAYED.inc(deleted)
        if deleted < len(rows):
            SENT_AGAIN.labels("lease_lost").inc()
        return True

    async def stop(self) -> None:
        """Disconnect."""
        await self._producer.stop()

    async def _is_sent(self, records: list[OutgoingRecord]) -> bool:
        """Send all, or drop the producer: what it still holds must not go out beside what is read again."""
        try:
            await self._producer.send_all(records, deadline_seconds=SEND_SECONDS_MAX)
        except ProducerUnavailableError as error:
            cause = "unavailable"
            if not self._is_waiting:  # said once, not with every attempt
                log.warning("relay waits for the broker", detail=str(error))
            self._is_waiting = True
        except ProducerBrokenError as error:
            cause = "broken"
            self._broken_in_a_row += 1
            log.exception("producer died", in_a_row=self._broken_in_a_row)
            if self._broken_in_a_row > NEW_PRODUCERS_MAX:
                raise RelayStoppedError(f"{NEW_PRODUCERS_MAX} new producers died in a row: {error}") from error
        else:
            self._broken_in_a_row = 0
            self._is_waiting = False
            return True
        SENT_AGAIN.labels(cause).inc()
        await self._producer.drop()
        return False


def _outgoing(row: asyncpg.Record) -> OutgoingRecord:
    _, _, topic, key, headers, body = row
    return OutgoingRecord(topic, key.encode(), body, unpack_headers(headers))
