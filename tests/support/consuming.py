"""A consumer under test: events to send, a handler that remembers, and a run that ends."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from shared.clock import BusinessClock
from shared.events.catalogue import POINTS
from shared.events.points import ReceiptRefused, RefusalData
from shared.kafka import (
    Batch,
    Consumer,
    ConsumerLimits,
    DeadLetter,
    EventProducer,
    Failure,
    KafkaSettings,
    OutgoingRecord,
    PermanentError,
    ReadPosition,
)
from tests.support.until import WAIT_SECONDS_MAX

TOPIC = POINTS.topic
SERVICE = "notifications"


def refusal(number: int, member_id: UUID | None = None) -> ReceiptRefused:
    """A small real event; its ``detail`` is ``number``."""
    return ReceiptRefused(
        id=uuid4(),
        source="accrual",
        subject=str(number),
        time=datetime(2026, 11, 1, tzinfo=UTC),
        data=RefusalData(
            receipt_id=f"receipt-{number}",
            content_hash="0" * 64,
            member_id=member_id,
            partner_id="P1",
            reason="test",
            detail=str(number),
        ),
    )


def outgoing(number: int, *, key: str | None = None, topic: str = TOPIC, body: bytes | None = None) -> OutgoingRecord:
    """One record of ``number``, or of other bytes."""
    event = refusal(number)
    return OutgoingRecord(
        topic,
        (key if key is not None else f"key-{number % 7}").encode(),
        event.to_bytes() if body is None else body,
        (("type", event.type.encode()), ("id", str(event.id).encode())),
    )


def number_of(event: Any) -> int:
    """The number that ``refusal`` was given."""
    return int(event.data.detail)


async def send(settings: KafkaSettings, records: Sequence[OutgoingRecord]) -> None:
    """Send and wait for the acknowledgements."""
    producer = EventProducer(settings)
    await producer.send_all(records, deadline_seconds=WAIT_SECONDS_MAX)
    await producer.stop()


@dataclass
class Remembering:
    """A handler that remembers what it took, and refuses what it is told to."""

    poison: frozenset[int] = frozenset()
    taken: list[int] = field(default_factory=list)
    batches: list[Batch[Any]] = field(default_factory=list)
    letters: list[DeadLetter[Any]] = field(default_factory=list)
    positions: dict[tuple[str, int], ReadPosition] = field(default_factory=dict)
    before_handling: Callable[[Batch[Any]], Any] | None = None

    async def handle(self, batch: Batch[Any]) -> None:
        if self.before_handling is not None:
            await self.before_handling(batch)
        numbers = [number_of(event) for event in batch.events]
        if self.poison & set(numbers):
            raise PermanentError("poison")
        self.taken += numbers
        self.batches.append(batch)
        self._remember(batch.positions)

    async def dead_lettered(self, letter: DeadLetter[Any]) -> None:
        self.letters.append(letter)

    async def idle(self, positions: Sequence[ReadPosition]) -> None:
        self._remember(positions)

    def counts(self) -> Counter[int]:
        """How often each number was taken."""
        return Counter(self.taken)

    def _remember(self, positions: Iterable[ReadPosition]) -> None:
        for position in positions:
            self.positions[position.topic, position.partition] = position


def classify(error: Exception) -> Failure:
    """Nothing is permanent but what says so."""
    return Failure.PERMANENT if isinstance(error, PermanentError) else Failure.TRANSIENT


def new_consumer(
    settings: KafkaSettings,
    handler: Remembering,
    *,
    limits: ConsumerLimits | None = None,
    instance: str = f"{SERVICE}-1",
    clock: BusinessClock | None = None,
    **others: Any,
) -> Consumer[Any]:
    """A consumer of the points topic."""
    return Consumer(
        settings=settings,
        service=SERVICE,
        instance=instance,
        events=POINTS,
        handler=handler,
        clock=clock or BusinessClock(datetime.now(UTC)),
        classify=others.pop("classify", classify),
        limits=limits or ConsumerLimits(back_off_seconds_min=0.02, back_off_seconds_max=0.2),
        **others,
    )


@asynccontextmanager
async def running(consumer: Consumer[Any]) -> AsyncIterator["asyncio.Task[None]"]:
    """The consumer, running until the block ends; its errors are the block's unless they were awaited."""
    stop = asyncio.Event()
    task = asyncio.create_task(consumer.run(stop))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait((task,), timeout=WAIT_SECONDS_MAX)
    if not task.done():
        raise TimeoutError("the consumer did not stop")
    if (error := task.exception()) is not None:
        raise error


async def read_all(settings: KafkaSettings, topic: str) -> list[ConsumerRecord]:
    """Every record of a topic, by partition and offset."""
    client = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap_servers, auto_offset_reset="earliest")
    await client.start()
    try:
        wire_name = settings.wire_name(topic)
        numbers = await client._client._wait_on_metadata(wire_name)
        partitions = [TopicPartition(wire_name, number) for number in numbers]
        client.assign(partitions)
        ends = await client.end_offsets(partitions)
        records: list[ConsumerRecord] = []
        while any([await client.position(partition) < ends[partition] for partition in partitions]):
            for found in (await client.getmany(timeout_ms=200)).values():
                records += found
        return sorted(records, key=lambda record: (record.partition, record.offset))
    finally:
        await client.stop()


async def committed_offsets(settings: KafkaSettings, topic: str = TOPIC, service: str = SERVICE) -> dict[int, int]:
    """What the service's group has committed of a topic, by partition; nothing before a broker knows of any group."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    await admin.start()
    try:
        found = await admin.list_consumer_group_offsets(settings.wire_name(f"tessera.{service}.{TOPIC}"))
    except GroupCoordinatorNotAvailableError:
        return {}
    finally:
        await admin.close()
    return {
        partition.partition: committed.offset
        for partition, committed in found.items()
        if partition.topic == settings.wire_name(topic) and committed.offset >= 0
    }
