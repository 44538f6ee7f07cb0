"""How far a topic has been read, in business time: from the broker's end offsets to the service's table."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.clock import BusinessClock
from shared.database import Database, read_to
from shared.kafka import Batch, KafkaSettings, ReadPosition
from tests.support.consuming import TOPIC, Remembering, new_consumer, outgoing, running, send
from tests.support.until import until

DatabaseOf = Callable[[str], Database]
START = datetime(2026, 11, 1, 12, tzinfo=UTC)


class StandingClock(BusinessClock):
    """Business time that moves only when it is told to."""

    def __init__(self) -> None:
        super().__init__(START, monotonic_seconds=lambda: 0.0)


def times_of(handler: Remembering) -> set[datetime | None]:
    return {position.at for (topic, _), position in handler.positions.items() if topic == TOPIC}


async def test_an_idle_topic_has_been_read_to_now(kafka_settings: KafkaSettings) -> None:
    await send(kafka_settings, [outgoing(number) for number in range(100)])
    handler, clock = Remembering(), StandingClock()
    async with running(new_consumer(kafka_settings, handler, clock=clock)):
        await until(lambda: times_of(handler) == {START})
        assert sum(position.next_offset for position in handler.positions.values()) == 100
        clock.observe(START + timedelta(hours=1))
        await until(lambda: times_of(handler) == {START + timedelta(hours=1)})


async def test_what_has_not_been_handled_holds_the_time_back(kafka_settings: KafkaSettings) -> None:
    """The end was asked for after the business time was read: a record that waits keeps that time from being told."""
    gate, started = asyncio.Event(), asyncio.Event()
    handler, clock = Remembering(), StandingClock()
    consumer = new_consumer(kafka_settings, handler, clock=clock)

    async def wait_for_gate(_: Batch[Any]) -> None:
        started.set()
        await gate.wait()

    async with running(consumer):
        await until(lambda: times_of(handler) == {START})
        handler.before_handling = wait_for_gate
        await send(kafka_settings, [outgoing(1, key="k")])
        later = START + timedelta(minutes=5)
        clock.observe(later)
        await started.wait()
        samples = len(consumer._positions._samples)
        await until(lambda: len(consumer._positions._samples) > samples + 1)
        assert times_of(handler) == {START}
        gate.set()
        await until(lambda: times_of(handler) == {later})


def position(partition: int, next_offset: int, at: datetime | None, topic: str = TOPIC) -> ReadPosition:
    return ReadPosition(topic, partition, next_offset, at)


async def test_a_topic_has_been_read_to_the_least_of_its_partitions(database_of: DatabaseOf) -> None:
    database = database_of("redemption")
    minute = timedelta(minutes=1)

    async def save_and_load(positions: Sequence[ReadPosition]) -> datetime | None:
        async with database.transaction() as transaction:
            await read_to.save(transaction, positions)
        async with database.transaction() as transaction:
            return await read_to.load(transaction, TOPIC, 2)

    assert await save_and_load([]) is None
    assert await save_and_load([position(0, 5, START)]) is None  # nobody has said anything of the other one
    assert await save_and_load([position(1, 0, None)]) is None
    assert await save_and_load([position(1, 3, START + minute)]) == START
    assert await save_and_load([position(0, 6, START + 2 * minute)]) == START + minute
    assert await save_and_load([position(1, 9, None)]) == START + minute  # behind now; what was read stays read
    assert await save_and_load([position(1, 2, START), position(0, 0, START)]) == START + minute  # a late repetition
    assert await save_and_load([position(0, 1, START, topic="another")]) == START + minute
