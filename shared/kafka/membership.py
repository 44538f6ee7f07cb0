"""Being a member of a group: joining under a static id, giving partitions back in order, noticing a successor.

Static membership lets a restarted worker go on at once, but aiokafka knows no fencing: a worker that was paused and
wakes up would join again under its old id and throw its successor out. So whoever finds that the group does not know it
any more ends, without joining.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, UnknownMemberIdError

from shared.kafka import settings as bounds
from shared.kafka.errors import ConsumerStoppedError
from shared.kafka.positions import Positions
from shared.kafka.settings import ConsumerLimits, KafkaSettings
from shared.kafka.topics import retry_topic

COMMIT_SECONDS_MAX = 5.0
LEAVE_SECONDS_MAX = 5.0
JOIN_PAUSE_SECONDS = 1.0
POLL_INTERVAL_SECONDS_MAX = 900.0

log = structlog.get_logger()


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """One worker's place in the group ``tessera.<service>.<topic>``. ``epoch`` rises with every revocation."""

    client: AIOKafkaConsumer

    def __init__(
        self,
        settings: KafkaSettings,
        service: str,
        instance: str,
        topic: str,
        in_hand: Callable[[], asyncio.Task[None] | None],
        positions: Positions,
    ) -> None:
        self._settings = settings
        self._group = settings.wire_name(f"tessera.{service}.{topic}")
        self._topics = [settings.wire_name(topic), settings.wire_name(retry_topic(topic, service))]
        self._instance = instance
        self._in_hand = in_hand
        self._positions = positions
        self._replaced: ConsumerStoppedError | None = None
        self._revoked_at_seconds: float | None = None
        self.epoch = 0

    async def join(self, limits: ConsumerLimits, stopping: "asyncio.Task[bool]") -> bool:
        """Connect and wait for an assignment, however long it takes. False when told to stop before that."""
        while not stopping.done():
            self.client = self._new_client(limits)
            self.client.subscribe(self._topics, listener=self)
            starting = asyncio.ensure_future(self.client.start())
            try:
                await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
                if starting.done() and starting.exception() is None:
                    return True
                if starting.done():
                    log.warning("consumer waits for the broker", topics=self._topics, error=repr(starting.exception()))
            finally:
                starting.cancel()
            await asyncio.wait((starting,))
            await self.leave()
            await asyncio.wait((stopping,), timeout=JOIN_PAUSE_SECONDS)
        return False

    async def leave(self) -> None:
        """Disconnect. The partitions wait for a successor under our id until the session ends."""
        if hasattr(self, "client"):
            with suppress(TimeoutError, KafkaError):
                async with asyncio.timeout(LEAVE_SECONDS_MAX):
                    await self.client.stop()

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit what is still ours. A commit that fails for the group's sake is let go: offsets are a hint.

        Raises ConsumerStoppedError when the group does not know us any more.
        """
        assigned = self.client.assignment()
        ours = {partition: offset for partition, offset in offsets.items() if partition in assigned}
        if not ours:
            return
        try:
            async with asyncio.timeout(COMMIT_SECONDS_MAX):
                await self.client.commit(ours)
        except CommitFailedError as error:
            if isinstance(error.__cause__, UnknownMemberIdError):
                raise ConsumerStoppedError("replaced", f"{self._instance} is no member of {self._group}") from error
            log.info("offsets not committed", group=self._group, error=repr(error.__cause__))
        except (IllegalStateError, TimeoutError) as error:
            log.info("offsets not committed", group=self._group, error=repr(error))

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Finish the batch in hand, within the rebalance's time, so that its next owner need not repeat it."""
        self.epoch += 1
        stood_at = dict(self._positions.handled)
        self._positions.forget()
        self._revoked_at_seconds = time.monotonic()
        if (in_hand := self._in_hand()) is not None:
            await asyncio.wait((in_hand,), timeout=bounds.REVOKE_SECONDS_MAX)
        try:
            await self._prove_membership(set(revoked & stood_at.keys()), stood_at)
        except ConsumerStoppedError as error:
            self._replaced = error
            # aiokafka would log any exception and join all the same; this one ends its coordination task.
            raise asyncio.CancelledError from error

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Reading goes on at the committed offsets."""
        self._revoked_at_seconds = None
        log.info("partitions assigned", group=self._group, partitions=len(assigned))

    @property
    def is_rebalancing(self) -> bool:
        """Whether partitions have been revoked and none assigned since."""
        return self._revoked_at_seconds is not None

    def rebalancing_seconds(self) -> float:
        """For how long partitions have been revoked without new ones."""
        return 0.0 if self._revoked_at_seconds is None else time.monotonic() - self._revoked_at_seconds

    def raise_if_replaced(self) -> None:
        """Raises ConsumerStoppedError when a rebalance found that another member bears our id."""
        if self._replaced is not None:
            raise self._replaced

    async def _prove_membership(self, revoked: set[TopicPartition], stood_at: Mapping[TopicPartition, int]) -> None:
        """A commit that changes nothing: only a member may make one. A broker that is away proves nothing."""
        for partition in sorted(revoked)[:1]:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(COMMIT_SECONDS_MAX):
                    committed = await self.client.committed(partition)
                await self.commit({partition: stood_at[partition] if committed is None else committed})

    def _new_client(self, limits: ConsumerLimits) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            **self._settings.client_arguments(),
            client_id=self._instance,
            group_id=self._group,
            group_instance_id=self._instance,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=int(bounds.SESSION_SECONDS_MAX * 1000),
            heartbeat_interval_ms=int(bounds.HEARTBEAT_SECONDS * 1000),
            rebalance_timeout_ms=int(bounds.REBALANCE_SECONDS_MAX * 1000),
            max_poll_interval_ms=int(POLL_INTERVAL_SECONDS_MAX * 1000),
            max_poll_records=limits.records_max,
            fetch_max_bytes=limits.fetch_bytes_max,
            max_partition_fetch_bytes=limits.partition_fetch_bytes_max,
            fetch_max_wait_ms=int(limits.fetch_wait_seconds_max * 1000),
        )
