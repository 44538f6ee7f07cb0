"""Purchases at a steady rate, straight to Kafka: what else is measured has them beside it."""

import asyncio
import time
from collections.abc import Sequence
from uuid import UUID

from cli.bench.workload import purchases, send
from shared.events.catalogue import PURCHASES
from shared.kafka.producer import EventProducer

PURCHASES_PER_SECOND = 1_000
SENT_TOGETHER = 100
AWARDED = "select count(*) from accrual.claims where state = 'awarded'"


async def buy(producer: EventProducer, members: Sequence[UUID], seconds: int) -> None:
    """Let these members buy ``PURCHASES_PER_SECOND`` times a second, all of them together."""
    due = time.perf_counter()
    for first in range(0, PURCHASES_PER_SECOND * seconds, SENT_TOGETHER):
        await send(producer, purchases(PURCHASES.topic, members, first, SENT_TOGETHER))
        due += SENT_TOGETHER / PURCHASES_PER_SECOND
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
