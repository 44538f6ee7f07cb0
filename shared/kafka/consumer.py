"""The consumer: one topic, its retry topic, and a handler. The loop owns the offsets; the handler owns its transaction.

While a batch is in the handler's hands the next one is fetched and decoded, and never a third. Kafka's offset is a hint
that is committed after the effects, so everything may come again and handlers are idempotent.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, Literal, TypeVar

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from shared.clock import BusinessClock
from shared.events.catalogue import TopicEvents
from shared.events.envelope import Event
from shared.kafka import metrics
from shared.kafka.batch_size import BatchSize
from shared.kafka.dead_letters import DeadLetters
from shared.kafka.decoding import Decoder, Wants
from shared.kafka.errors import ConsumerStoppedError, Failure, TransientError
from shared.kafka.membership import Membership
from shared.kafka.positions import Positions
from shared.kafka.processing import Decoded, Processing
from shared.kafka.records import Handler
from shared.kafka.settings import ConsumerLimits, KafkaSettings
from shared.kafka.watchdog import Watchdog
from shared.telemetry.failures import message_of

E = TypeVar("E", bound=Event)
Fetched = tuple[int, dict[TopicPartition, list[ConsumerRecord]]]

POLL_SECONDS = 0.25
SAMPLE_SECONDS = 1.0
ANSWER_SECONDS_MAX = 5.0  # of the broker, to a question about offsets
STOP_SECONDS_MAX = 15.0

log = structlog.get_logger()


class Consumer(Generic[E]):
    """Reads ``events.topic`` and ``<topic>.<service>.retry`` in one group, until told to stop.

    ``instance`` is ``<service>-<n>``: unique among living workers and the same after a restart, so that a successor
    takes over at once (static membership). ``wants`` skips records by their headers, undecoded.
    """

    def __init__(
        self,
        *,
        settings: KafkaSettings,
        service: str,
        instance: str,
        events: TopicEvents[E],
        handler: Handler[E],
        clock: BusinessClock,
        classify: Callable[[Exception], Failure],
        limits: ConsumerLimits,
        wants: Wants | None = None,
        unknown_types: Literal["dead-letter", "skip"] = "skip",
    ) -> None:
        self._settings = settings
        self._topic = events.topic
        self._clock = clock
        self._limits = limits
        self._labels = (service, events.topic)
        self._size = limits.batch_size or BatchSize(limits.records_max)
        self._decoder = Decoder(events, service, settings.topic_of, wants, unknown_types)
        self._dead_letters = DeadLetters[E](settings, service, events.topic, limits)
        self._positions = Positions(settings.topic_of)
        self._processing = Processing(handler, classify, self._dead_letters, self._positions, limits, self._labels)
        self._watchdog = Watchdog[TopicPartition](limits.stuck_seconds_max)
        self._member = Membership(settings, service, instance, events.topic, lambda: self._in_hand, self._positions)
        self._in_hand: asyncio.Task[None] | None = None
        self._polling: asyncio.Task[Fetched] | None = None
        self._polled_seconds = 0.0
        self._told_at_seconds = 0.0
        self._failures_in_a_row = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until ``stop``, then finish the batch in hand. A broker or database that is away is waited for.

        Raises:
            ConsumerStoppedError: it cannot go on (too many dead letters in a row, a record that only times out, a
                client that is stuck, a successor under our name). The process must end with a code other than 0.
        """
        self._stopping = asyncio.create_task(stop.wait())
        sampling: asyncio.Task[None] | None = None
        try:
            if not await self._member.join(self._limits, self._stopping):
                return
            sampling = asyncio.create_task(self._sample_until_stopped())
            while not stop.is_set():
                await self._step()
                self._member.raise_if_replaced()
                if sampling.done():  # it found us stuck
                    sampling.result()
        except ConsumerStoppedError as error:
            metrics.STOPPED.labels(*self._labels, error.reason).inc()
            log.exception("consumer stopped", topic=self._topic, reason=error.reason)
            raise
        finally:
            await self._finish(sampling)

    async def _step(self) -> None:
        started_seconds = time.monotonic()
        fetched = await self._poll(POLL_SECONDS)
        if self._in_hand is None:
            self._polled_seconds += time.monotonic() - started_seconds
        decoded = await self._decode(fetched) if fetched is not None and fetched[1] else None
        if (decoded is not None or (self._in_hand is not None and self._in_hand.done())) and not await self._settle():
            return  # what was decoded comes again too
        if decoded is not None and decoded.epoch == self._member.epoch:
            self._in_hand = asyncio.create_task(self._take(decoded))
        elif self._in_hand is None and self._is_time_to_tell():
            self._in_hand = asyncio.create_task(self._tell())

    async def _poll(self, seconds: float) -> Fetched | None:
        """What has come. None also while the group rebalances, which getmany waits out without a bound."""
        if self._polling is None:
            self._polling = asyncio.create_task(self._fetch(seconds))
        tasks = (self._polling, self._stopping)
        await asyncio.wait(tasks, timeout=2 * seconds, return_when=asyncio.FIRST_COMPLETED)
        if not self._polling.done():
            return None
        polling, self._polling = self._polling, None
        if polling.cancelled():  # what a client says whose place in the group was ended (see Membership)
            self._member.raise_if_replaced()
            return None
        return polling.result()

    async def _fetch(self, seconds: float) -> Fetched:
        try:
            fetched = await self._member.client.getmany(timeout_ms=int(seconds * 1000), max_records=self._size.records)
        except KafkaError as error:
            if not error.retriable:
                raise ConsumerStoppedError("client_failed", f"{type(error).__name__}: {error}") from error
            await asyncio.sleep(seconds)
            fetched = {}
        for partition, records in fetched.items():  # in the same step as getmany's last: no rebalance lies between
            self._positions.handled.setdefault(partition, records[0].offset)
        return self._member.epoch, fetched

    async def _decode(self, fetched: Fetched) -> Decoded[E]:
        epoch, by_partition = fetched
        items = await self._decoder.decode([record for records in by_partition.values() for record in records])
        return Decoded(epoch, items, {partition: records[-1].offset + 1 for partition, records in by_partition.items()})

    async def _take(self, decoded: Decoded[E]) -> None:
        is_told = await self._processing.process(decoded)
        await self._member.commit(decoded.next_offsets)
        if decoded.epoch == self._member.epoch:
            self._positions.handled.update(decoded.next_offsets)
        self._size.succeeded()
        if is_told:
            self._told_at_seconds = time.monotonic()
        elif self._is_time_to_tell():  # a stream of unwanted records is read too
            await self._tell()

    def _is_time_to_tell(self) -> bool:
        return time.monotonic() - self._told_at_seconds >= SAMPLE_SECONDS

    async def _tell(self) -> None:
        self._told_at_seconds = time.monotonic()
        await self._processing.idle(self._positions.handled)

    async def _settle(self) -> bool:
        """Wait for what is in hand. False after a failure: everything in memory comes again, after a pause."""
        if self._in_hand is None:
            return True
        await asyncio.wait((self._in_hand,))
        in_hand, self._in_hand = self._in_hand, None
        error = TransientError("cancelled from within") if in_hand.cancelled() else in_hand.exception()
        if error is None:
            self._failures_in_a_row = 0
            return True
        if not isinstance(error, Exception) or isinstance(error, ConsumerStoppedError):
            raise error
        meaning = self._processing.meaning_of(error)
        if meaning is Failure.PERMANENT:
            raise error  # not a record's: those are dead-lettered. The handler cannot keep its own books
        if meaning is Failure.TIMEOUT:
            self._size.halve()
        pause_seconds = self._limits.back_off_seconds_min * 2 ** min(self._failures_in_a_row, 20)
        pause_seconds = min(pause_seconds, self._limits.back_off_seconds_max)
        self._failures_in_a_row += 1
        log.warning(
            "records come again", topic=self._topic, kind=meaning.value, seconds=pause_seconds, error=message_of(error)
        )
        await self._rewind()
        await self._wait_paused(pause_seconds)
        return False

    async def _rewind(self) -> None:
        """Back to the first offset that is not handled, in every partition."""
        if self._polling is not None:  # it may bring records from further on
            self._polling.cancel()
            await asyncio.wait((self._polling,))
            self._polling = None
        for partition, offset in self._positions.handled.items():
            with suppress(IllegalStateError):  # it was taken away meanwhile
                self._member.client.seek(partition, offset)

    async def _wait_paused(self, seconds: float) -> None:
        """Let time pass without reading, but go on polling, so that the group does not lose us."""
        until_seconds = time.monotonic() + seconds
        while (left_seconds := until_seconds - time.monotonic()) > 0 and not self._stopping.done():
            self._member.client.pause(*self._member.client.assignment())
            fetched = await self._poll(min(left_seconds, POLL_SECONDS))
            if fetched is not None and fetched[1]:  # from partitions that were assigned just now
                await self._rewind()
        self._member.client.resume(*self._member.client.paused())

    async def _sample_until_stopped(self) -> None:
        while not self._stopping.done():
            await asyncio.wait((self._stopping,), timeout=SAMPLE_SECONDS)
            polled_seconds, self._polled_seconds = self._polled_seconds, 0.0
            try:
                async with asyncio.timeout(ANSWER_SECONDS_MAX):
                    ends = await self._sample()
            except (KafkaError, TimeoutError):
                continue  # no broker, no news: what was polled meanwhile does not count
            metrics.LAG.labels(*self._labels).set(self._positions.lag())
            stands_at = {partition: self._positions.handled.get(partition, -1) for partition in ends}
            stuck = self._watchdog.observe(polled_seconds, stands_at, ends)
            if stuck is not None or self._member.rebalancing_seconds() > self._limits.stuck_seconds_max:
                raise ConsumerStoppedError("stuck", f"nothing comes of {stuck or self._topic}, though there is more")

    async def _sample(self) -> dict[TopicPartition, int]:
        """Where the assigned partitions end, as of a business time read before; and where idle ones stand."""
        at, client, epoch = self._clock.now(), self._member.client, self._member.epoch
        assigned = client.assignment()
        ends: dict[TopicPartition, int] = await client.end_offsets(assigned)
        self._positions.sample(at, ends)
        # While the group rebalances, clients still know positions of the old assignment, ahead of what was handled.
        unknown = set() if self._member.is_rebalancing else assigned - self._positions.handled.keys()
        for partition in unknown:
            with suppress(TimeoutError):  # a partition that gets no position is stuck, which is not for us to say
                async with asyncio.timeout(POLL_SECONDS):  # wait_for loses a cancellation that meets the answer
                    offset = await client.position(partition)
                if epoch == self._member.epoch:
                    self._positions.handled.setdefault(partition, offset)
        return ends

    async def _finish(self, sampling: asyncio.Task[None] | None) -> None:
        if self._in_hand is not None:
            await asyncio.wait((self._in_hand,), timeout=STOP_SECONDS_MAX)
        left = [task for task in (self._stopping, self._in_hand, sampling, self._polling) if task is not None]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        self._in_hand = self._polling = None
        await self._member.leave()
        await self._dead_letters.stop()
