"""How long a pipeline takes: from its first committed batch until everything is committed, relayed and deleted.

Both scenarios are watched from outside in the same way: their group's committed offsets, and the outbox.
"""

import asyncio
import time

import asyncpg
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from cli.errors import CommandError

LOOK_SECONDS = 0.02
SECONDS_MAX = 300.0


class Stopwatch:
    """Watches one consumer group and one outbox."""

    def __init__(self, admin: AIOKafkaAdminClient, database: asyncpg.Connection, group: str, topic: str) -> None:
        self._admin = admin
        self._database = database
        self._group = group
        self._topic = topic

    async def committed(self) -> int:
        """How many records the group has committed so far."""
        try:
            offsets = await self._admin.list_consumer_group_offsets(self._group)
        except GroupCoordinatorNotAvailableError:  # a new broker has no place for offsets before the first group
            return 0
        return sum(
            known.offset
            for partition, known in offsets.items()
            if isinstance(partition, TopicPartition) and partition.topic == self._topic and known.offset > 0
        )

    async def time(self, records: int, committed_before: int) -> float:
        """Records a second, once ``records`` more have been committed and the outbox is empty again."""
        give_up = time.monotonic() + SECONDS_MAX
        began: tuple[float, int] | None = None
        while time.monotonic() < give_up:
            done = await self.committed() - committed_before
            now = time.monotonic()
            if began is None and done > 0:
                began = now, done
            if began is not None and done >= records and not await self._is_outbox_filled():
                return (records - began[1]) / (time.monotonic() - began[0])
            await asyncio.sleep(LOOK_SECONDS)
        raise CommandError(f"{self._group} did not finish {records} records in {SECONDS_MAX:.0f} s: see its log")

    async def _is_outbox_filled(self) -> bool:
        return bool(await self._database.fetchval("select exists (select from accrual.outbox)"))
