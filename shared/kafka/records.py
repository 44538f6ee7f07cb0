"""What passes between the consumer and its handlers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, Protocol, TypeVar

from shared.events.envelope import Event

E_co = TypeVar("E_co", bound=Event, covariant=True)
E_contra = TypeVar("E_contra", bound=Event, contravariant=True)


class Record(NamedTuple, Generic[E_co]):  # one is made for every record, and a dataclass takes three times as long
    """One record and the event in it. ``body`` are the bytes as they came."""

    event: E_co
    topic: str
    partition: int
    offset: int
    key: bytes | None
    body: bytes
    headers: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class ReadPosition:
    """Everything before ``next_offset`` has been handled.

    ``at`` is a business time up to which the partition has been read: it was read before the partition's end was
    asked for, and that end has been reached since. None while it has not.
    """

    topic: str
    partition: int
    next_offset: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Batch(Generic[E_co]):
    """Records in order of offset within each partition, never empty, and how far they bring the consumer.

    ``positions`` are those that changed; a handler saves them in the transaction of its effects.
    """

    records: tuple[Record[E_co], ...]
    positions: tuple[ReadPosition, ...]

    @property
    def events(self) -> tuple[E_co, ...]:
        """The events alone, in the records' order."""
        return tuple(record.event for record in self.records)


@dataclass(frozen=True, slots=True)
class DeadLetter(Generic[E_co]):
    """A record that nobody can handle. ``event`` is there where the bytes could be read.

    ``topic``, ``partition`` and ``offset`` say where it was read, and identify it; ``cause`` is one of a few codes.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    body: bytes
    headers: Mapping[str, bytes]
    cause: str
    detail: str
    event: E_co | None


class Handler(Protocol[E_contra]):
    """What a service does with a topic. Every method opens and commits its own transaction and is idempotent:
    the same records, letters and positions may come again after a failure, a rebalance or a restart."""

    async def handle(self, batch: Batch[E_contra]) -> None:
        """Take all records or raise. An exception must leave nothing behind; it is classified, not logged away."""

    async def dead_lettered(self, letter: DeadLetter[E_contra]) -> None:
        """The broker has this letter; the record's offset has not been committed yet."""

    async def idle(self, positions: Sequence[ReadPosition]) -> None:
        """About once a second while nothing was handled: the positions that changed, never none."""
