"""Two workers on a real broker: partitions change hands without a record lost, repeated or fought over."""

import asyncio
from typing import Any

import pytest

from shared.kafka import Batch, ConsumerLimits, ConsumerStoppedError, KafkaSettings
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


async def test_a_worker_that_restarts_under_its_id_goes_on_at_once(kafka_settings: KafkaSettings) -> None:
    await send(kafka_settings, [outgoing(number) for number in range(50)])
    first, second = Remembering(), Remembering()
    async with running(new_consumer(kafka_settings, first)):
        await until(lambda: len(first.taken) == 50)
    await send(kafka_settings, [outgoing(number) for number in range(50, 80)])
    async with running(new_consumer(kafka_settings, second)):
        await until(lambda: len(second.taken) == 30, seconds_max=8.0)  # within the dead one's session of 10 s
    assert sorted(second.taken) == list(range(50, 80))
