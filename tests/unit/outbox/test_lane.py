"""A lane whose producers die: a new one three times, then the end. A broker that is away counts for nothing."""

import asyncio
from typing import Any, cast

import pytest

from shared.kafka import EventProducer, KafkaSettings, ProducerBrokenError, ProducerUnavailableError
from shared.outbox.lane import NEW_PRODUCERS_MAX, Lane, RelayStoppedError
from shared.outbox.leases import Leases


class FailingProducer:
    """Stands for a client that cannot be made to fail like this on a real broker."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.dropped = 0

    async def send_all(self, *_: Any, **__: Any) -> None:
        raise self.errors.pop(0)

    async def drop(self) -> None:
        self.dropped += 1


def lane_with(producer: FailingProducer) -> Lane:
    lane = Lane(KafkaSettings("nowhere:1"), Leases("unit-1"), 8)
    lane._producer = cast("EventProducer", producer)
    return lane


async def send(lane: Lane) -> bool:
    return await lane.send_and_delete(cast("Any", None), asyncio.Lock(), [], {})


async def test_after_three_new_producers_it_ends() -> None:
    producer = FailingProducer(*[ProducerBrokenError("dead")] * 4)
    lane = lane_with(producer)
    assert [await send(lane) for _ in range(NEW_PRODUCERS_MAX)] == [False] * 3
    with pytest.raises(RelayStoppedError):
        await send(lane)
    assert producer.dropped == 3


async def test_a_broker_that_is_away_is_waited_for() -> None:
    producer = FailingProducer(*[ProducerUnavailableError("away")] * 50)
    lane = lane_with(producer)
    assert [await send(lane) for _ in range(50)] == [False] * 50
    assert producer.dropped == 50
