"""One batch in a handler's hands: taken, halved where it must be, its dead letters acknowledged."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from aiokafka import TopicPartition

from shared.events.envelope import Event
from shared.kafka import metrics
from shared.kafka.dead_letters import DeadLetters
from shared.kafka.errors import ConsumerStoppedError, Failure, PermanentError, TransientError
from shared.kafka.halving import handle_by_halves
from shared.kafka.positions import Positions
from shared.kafka.records import Batch, DeadLetter, Handler, ReadPosition, Record
from shared.kafka.settings import ConsumerLimits

E = TypeVar("E", bound=Event)


class HandlerTimeoutError(Exception):
    """One call of a handler took longer than ``handle_seconds_max``."""


@dataclass(frozen=True, slots=True)
class Decoded(Generic[E]):
    """Records as they were polled, and where reading goes on after them. ``epoch`` names the assignment."""

    epoch: int
    items: Sequence[Record[E] | DeadLetter[E]]
    next_offsets: Mapping[TopicPartition, int]


class Processing(Generic[E]):
    """Hands batches to a handler. All of it may happen again for the same records: nothing is remembered in between
    but how often a record that was alone has timed out."""

    def __init__(
        self,
        handler: Handler[E],
        classify: Callable[[Exception], Failure],
        dead_letters: DeadLetters[E],
        positions: Positions,
        limits: ConsumerLimits,
        labels: tuple[str, str],
    ) -> None:
        self._handler = handler
        self._classify = classify
        self._dead_letters = dead_letters
        self._positions = positions
        self._limits = limits
        self._labels = labels
        self._single_timeouts: dict[tuple[str, int, int], int] = {}

    def meaning_of(self, error: Exception) -> Failure:
        """What to do about it. What the runtime does not know, the injected ``classify`` does."""
        if isinstance(error, PermanentError):
            return Failure.PERMANENT
        if isinstance(error, TransientError):
            return Failure.TRANSIENT
        return Failure.TIMEOUT if isinstance(error, HandlerTimeoutError) else self._classify(error)

    async def process(self, decoded: Decoded[E]) -> bool:
        """Returns when every record is handled or dead-lettered, and the handler knows of the letters.

        True when the handler was told the batch's positions, False when another call has to.
        """
        records = tuple(item for item in decoded.items if isinstance(item, Record))
        positions = self._positions.news(decoded.next_offsets)
        is_whole = False

        async def handle(part: Sequence[Record[E]]) -> None:
            nonlocal is_whole
            is_whole = len(part) == len(records)
            await self._handle(tuple(part), positions if is_whole else ())

        rejected: dict[int, Exception] = {}
        if records:
            limit = self._limits.dead_letters_in_a_row_max
            rejected = await handle_by_halves(records, handle, self._is_permanent, limit)
        is_told = is_whole and not rejected
        if is_told:
            self._positions.told(positions)
        letters = self._dead_letters.collect(decoded.items, rejected)
        await self._dead_letters.publish(letters)
        for letter in letters:
            await self._handler.dead_lettered(letter)
        return is_told

    async def idle(self, handled: Mapping[TopicPartition, int]) -> None:
        """Tell the handler of positions that moved without it."""
        if positions := self._positions.news(handled):
            async with asyncio.timeout(self._limits.handle_seconds_max):
                await self._handler.idle(positions)
            self._positions.told(positions)

    async def _handle(self, records: tuple[Record[E], ...], positions: tuple[ReadPosition, ...]) -> None:
        timeout = asyncio.timeout(self._limits.handle_seconds_max)
        try:
            with metrics.HANDLE_SECONDS.labels(*self._labels).time():
                async with timeout:
                    await self._handler.handle(Batch(records, positions))
        except TimeoutError as error:
            failure: Exception = HandlerTimeoutError("a call of the handler took too long")
            self._account_for(records, failure := failure if timeout.expired() else error)
            raise failure from (error if failure is not error else None)
        except Exception as error:
            self._account_for(records, error)
            raise
        metrics.HANDLED.labels(*self._labels).inc(len(records))
        if self._single_timeouts:
            for record in records:
                self._single_timeouts.pop(_place(record), None)

    def _is_permanent(self, error: Exception) -> bool:
        return not isinstance(error, ConsumerStoppedError) and self.meaning_of(error) is Failure.PERMANENT

    def _account_for(self, records: tuple[Record[E], ...], error: Exception) -> None:
        meaning = self.meaning_of(error)
        metrics.FAILURES.labels(*self._labels, meaning.value).inc()
        if meaning is not Failure.TIMEOUT or len(records) > 1:
            return
        place = _place(records[0])
        times = self._single_timeouts[place] = self._single_timeouts.get(place, 0) + 1
        if times >= self._limits.single_timeouts_max:
            raise ConsumerStoppedError("record_timeout", f"{place} timed out {times} times though alone") from error


def _place(record: Record[E]) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset
