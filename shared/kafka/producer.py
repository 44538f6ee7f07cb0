"""Records to Kafka: idempotent, acknowledged by every in-sync replica, and awaited.

With idempotence a record that was handed over never expires by itself, so every call bears its own deadline, and what
is under way is bounded. A broker that is merely away costs a deadline; a sender that died is told apart, since it
never recovers while its process stays up.
"""

import asyncio
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import NamedTuple, TypeAlias

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError, ProducerClosed
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.kafka.errors import ProducerBrokenError, ProducerUnavailableError, RecordTooLargeError
from shared.kafka.settings import KafkaSettings
from shared.kafka.topics import DEAD_LETTER_BYTES_MAX

PARTITION_BATCH_BYTES_MAX = 262_144
REQUEST_SECONDS_MAX = 10.0
DROP_SECONDS_MAX = 1.0
BODY_BYTES_MAX = DEAD_LETTER_BYTES_MAX - 65_536  # key and headers need room too

Sent: TypeAlias = "dict[asyncio.Future[object], int]"  # an answer to come, and the records that it is for


class OutgoingRecord(NamedTuple):
    """A record to be sent. Records with equal keys stay in order; without a key, any partition will do."""

    topic: str
    key: bytes | None
    body: bytes
    headers: tuple[tuple[str, bytes], ...]


class EventProducer:
    """One connection that sends. It connects with the first call and again after ``drop``."""

    def __init__(self, settings: KafkaSettings, *, records_under_way_max: int = 10_000) -> None:
        self._settings = settings
        self._records_under_way_max = records_under_way_max
        self._records_under_way = 0
        self._unanswered: set[asyncio.Future[object]] = set()
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()

    async def start(self, *, deadline_seconds: float = 5.0) -> None:
        """Connect now rather than with the first call. Raises as ``send_all`` does."""
        await self.send_all((), deadline_seconds=deadline_seconds)

    async def send_all(self, messages: Sequence[OutgoingRecord], *, deadline_seconds: float) -> None:
        """Send in the given order and wait until every record is acknowledged.

        Raises:
            RecordTooLargeError: one is over ``BODY_BYTES_MAX`` (nothing was sent), or over its topic's limit.
            ProducerUnavailableError: the deadline passed, or too much is under way. Any of the records may have been
                written, or be written yet: send them again, under the same event ids.
            ProducerBrokenError: this producer is dead for good. ``drop`` it.
        """
        self._refuse_what_cannot_go(messages)
        self._records_under_way += len(messages)
        sent: Sent = {}
        try:
            async with asyncio.timeout(deadline_seconds):
                producer = await self._connected()
                await self._hand_over(producer, messages, sent)
                self._unanswered.update(sent)
                for future in sent:
                    if not future.done():
                        await asyncio.wait((future,))  # awaited itself, a time-out would cancel it
                    future.result()
        except TimeoutError as error:
            raise ProducerUnavailableError(f"no acknowledgement within {deadline_seconds} s") from error
        except KafkaError as error:
            raise _meaning_of(error) from error
        finally:
            self._account_for(len(messages), sent)

    async def stop(self, *, deadline_seconds: float = 5.0) -> None:
        """Send what is under way, then disconnect; after the deadline, disconnect all the same."""
        if self._producer is None:
            return
        stopping = asyncio.ensure_future(self._producer.stop())
        await asyncio.wait((stopping,), timeout=deadline_seconds)
        if not stopping.done():
            stopping.cancel()
            await self.drop()
        self._producer = None

    async def drop(self) -> None:
        """Disconnect at once and forget what is under way: nothing of it is sent any more. The next call reconnects."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        sender = producer._sender.sender_task  # noqa: SLF001 -- stop() first sends everything, however long it takes
        sender.cancel()
        await asyncio.wait((sender,), timeout=DROP_SECONDS_MAX)
        await producer.client.close()
        for future in self._unanswered:
            if not future.done():
                future.set_exception(ProducerClosed())  # whoever still waits is told
        producer._closed = True  # noqa: SLF001 -- else it complains that nobody stopped it

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._settings.client_arguments(),
                    acks="all",
                    enable_idempotence=True,
                    max_batch_size=PARTITION_BATCH_BYTES_MAX,
                    max_request_size=DEAD_LETTER_BYTES_MAX,
                    request_timeout_ms=int(REQUEST_SECONDS_MAX * 1000),
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _hand_over(self, producer: AIOKafkaProducer, messages: Sequence[OutgoingRecord], sent: Sent) -> None:
        """Into the client's buffers, which send as soon as they can. ``sent`` grows as it goes."""
        topics = {topic: await self._place_of(producer, topic) for topic in {message.topic for message in messages}}
        if len(messages) == 1:  # alone it shares a batch with those of other callers
            topic, key, body, headers = messages[0]
            wire_name, partitions = topics[topic]
            partition = _partition_of(key, partitions)
            sent[await producer.send(wire_name, body, key, partition, headers=list(headers))] = 1
            return
        batches: dict[tuple[str, int], BatchBuilder] = {}
        for topic, key, body, headers in messages:  # a batch has one answer: half of what one a record costs
            wire_name, partitions = topics[topic]
            place = wire_name, _partition_of(key, partitions)
            batch = batches.get(place)
            if batch is None or batch.append(timestamp=None, key=key, value=body, headers=list(headers)) is None:
                if batch is not None:
                    await _send_batch(producer, place, batch, sent)
                batch = batches[place] = producer.create_batch()
                batch.append(timestamp=None, key=key, value=body, headers=list(headers))
        for place, batch in batches.items():
            await _send_batch(producer, place, batch, sent)

    async def _place_of(self, producer: AIOKafkaProducer, topic: str) -> tuple[str, int]:
        """A topic's name on the broker, and how many partitions it has."""
        wire_name = self._settings.wire_name(topic)
        partitions = producer.client.cluster.partitions_for_topic(wire_name) or await producer.partitions_for(wire_name)
        return wire_name, len(partitions)

    def _refuse_what_cannot_go(self, messages: Sequence[OutgoingRecord]) -> None:
        if self._records_under_way + len(messages) > self._records_under_way_max:
            raise ProducerUnavailableError(f"{self._records_under_way} records are under way already")
        for message in messages:
            if len(message.body) > BODY_BYTES_MAX:
                raise RecordTooLargeError(f"{len(message.body)} bytes are too many for {message.topic}")

    def _account_for(self, records: int, sent: Sent) -> None:
        """Records without an answer yet go on counting until they have one, whether or not somebody waits."""
        for future, count in sent.items():
            if not future.done():
                records -= count
                self._unanswered.add(future)
                future.add_done_callback(partial(self._answered, count))
                continue
            self._unanswered.discard(future)
            if not future.cancelled():
                future.exception()  # looked at, so that asyncio does not report it
        self._records_under_way -= records

    def _answered(self, count: int, future: "asyncio.Future[object]") -> None:
        self._records_under_way -= count
        self._unanswered.discard(future)
        if not future.cancelled():
            future.exception()


async def _send_batch(producer: AIOKafkaProducer, place: tuple[str, int], batch: BatchBuilder, sent: Sent) -> None:
    wire_name, partition = place
    sent[await producer.send_batch(batch, wire_name, partition=partition)] = batch.record_count()


def _partition_of(key: bytes | None, partitions: int) -> int:
    return _hash_of(key) % partitions if key is not None else 0


def _meaning_of(error: KafkaError) -> Exception:
    if isinstance(error, MessageSizeTooLargeError):
        return RecordTooLargeError(str(error))
    if error.retriable or isinstance(error, KafkaTimeoutError | ProducerClosed):
        return ProducerUnavailableError(f"no broker: {type(error).__name__}")
    return ProducerBrokenError(f"{type(error).__name__}: {error}")


@lru_cache(maxsize=16_384)  # members come back; in Python this hash costs as much as sending the record
def _hash_of(key: bytes) -> int:
    """As Kafka's own clients choose a partition, so that theirs and ours agree where a key's records are."""
    return int(murmur2(key)) & 0x7FFFFFFF
