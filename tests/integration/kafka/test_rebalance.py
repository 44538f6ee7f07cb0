"""Two workers on a real broker: partitions change hands without a record lost, repeated or fought over."""

import asyncio
from functools import partial
from typing import Any

import pytest

from shared.kafka import Batch, Consumer, ConsumerLimits, ConsumerStoppedError, KafkaSettings, TransientError
from tests.support.consuming import SERVICE, Remembering, committed_offsets, new_consumer, outgoing, running, send
from tests.support.until import until

SMALL = ConsumerLimits(records_max=20)


async def test_a_revoked_worker_finishes_the_batch_in_hand_first(kafka_settings: KafkaSettings) -> None:
    started, gate = asyncio.Event(), asyncio.Event()

    async def wait_for_gate(_: Batch[Any]) -> None:
        started.set()
        await gate.wait()

    await send(kafka_settings, [outgoing(number) for number in range(400)])
    first, second = Remembering(before_handling=wait_for_gate), Remembering()
    first_consumer = new_consumer(kafka_settings, first, instance=f"{SERVICE}-1", limits=SMALL)
    async with running(first_consumer):
        await started.wait()
        async with running(new_consumer(kafka_settings, second, instance=f"{SERVICE}-2", limits=SMALL)):
            epoch = first_consumer._member.epoch
            await until(lambda: first_consumer._member.epoch > epoch)  # it has been told to give its partitions back
            assert second.taken == []
            gate.set()
            await until(lambda: len(first.taken) + len(second.taken) >= 400)
    assert (first.counts() + second.counts()) == dict.fromkeys(range(400), 1)
    assert second.taken
    assert sum((await committed_offsets(kafka_settings)).values()) == 400


async def test_whoever_was_replaced_ends_and_leaves_its_successor_alone(kafka_settings: KafkaSettings) -> None:
    """aiokafka knows no fencing: without care the two would throw each other out for ever."""
    await send(kafka_settings, [outgoing(number) for number in range(100)])
    first, second = Remembering(), Remembering()
    replaced = asyncio.create_task(new_consumer(kafka_settings, first).run(asyncio.Event()))
    await until(lambda: len(first.taken) == 100)
    successor = new_consumer(kafka_settings, second)
    async with running(successor):
        with pytest.raises(ConsumerStoppedError) as stopped:
            await asyncio.wait_for(replaced, 30)
        assert stopped.value.reason == "replaced"
        epoch = successor._member.epoch
        await send(kafka_settings, [outgoing(number) for number in range(100, 200)])
        await until(lambda: len(second.taken) == 100)
        assert successor._member.epoch == epoch
    assert sorted(second.taken) == list(range(100, 200))


async def test_a_replaced_worker_that_has_never_committed_ends_too(kafka_settings: KafkaSettings) -> None:
    first, second = new_consumer(kafka_settings, Remembering()), new_consumer(kafka_settings, Remembering())
    replaced = asyncio.create_task(first.run(asyncio.Event()))
    await until(lambda: len(first._positions.handled) == kafka_settings.partitions + 1)  # with the retry topic's
    async with running(second):
        with pytest.raises(ConsumerStoppedError) as stopped:
            await asyncio.wait_for(replaced, 30)
        assert stopped.value.reason == "replaced"
        assert second._member.epoch == 1


def has_come_to(consumer: Consumer[Any], epoch: int, handler: Remembering, records: int) -> bool:
    return consumer._member.epoch >= epoch and len(set(handler.taken)) >= records


async def test_rebalances_amid_failures_lose_and_reorder_nothing(kafka_settings: KafkaSettings) -> None:
    """Records come again after a rebalance, but the first time that each comes keeps the order of its key."""
    calls = 0

    async def fail_now_and_then(_: Batch[Any]) -> None:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.01)
        if calls % 4 == 0:
            raise TransientError("now and then")

    records = 3_000
    await send(kafka_settings, [outgoing(number) for number in range(records)])
    handler = Remembering(before_handling=fail_now_and_then)
    limits = ConsumerLimits(records_max=20, back_off_seconds_min=0.01, back_off_seconds_max=0.02)
    consumer = new_consumer(kafka_settings, handler, limits=limits)
    async with running(consumer):
        await until(lambda: len(handler.taken) > 0)
        for rebalances in range(1, 9):
            consumer._member.client._coordinator.request_rejoin()
            enough = min(records, len(set(handler.taken)) + 60)
            await until(partial(has_come_to, consumer, rebalances + 1, handler, enough))
        await until(lambda: len(set(handler.taken)) == records)
    for key in range(7):
        numbers = list(dict.fromkeys(number for number in handler.taken if number % 7 == key))
        assert numbers == sorted(numbers)
    assert sum((await committed_offsets(kafka_settings)).values()) == records


async def test_a_worker_that_restarts_under_its_id_goes_on_at_once(kafka_settings: KafkaSettings) -> None:
    await send(kafka_settings, [outgoing(number) for number in range(50)])
    first, second = Remembering(), Remembering()
    async with running(new_consumer(kafka_settings, first)):
        await until(lambda: len(first.taken) == 50)
    await send(kafka_settings, [outgoing(number) for number in range(50, 80)])
    async with running(new_consumer(kafka_settings, second)):
        await until(lambda: len(second.taken) == 30, seconds_max=8.0)  # within the dead one's session of 10 s
    assert sorted(second.taken) == list(range(50, 80))
