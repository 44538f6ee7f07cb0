"""Events into the outbox, in the transaction of the effect that they tell of."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from shared.database.engine import Transaction
from shared.events.envelope import Event
from shared.outbox.ddl import SLOTS

BODY_BYTES_MAX = 1_000_000
Headers = tuple[tuple[str, bytes], ...]

# The sequence is read after the sort, so ids rise in the given order.
_RECORD = """
    insert into outbox (slot, topic, key, headers, body)
    select slot, topic, key, headers, body
    from unnest($1::smallint[], $2::text[], $3::text[], $4::bytea[], $5::bytea[])
        with ordinality as incoming (slot, topic, key, headers, body, position)
    order by position
"""


@dataclass(frozen=True, slots=True)
class Message:
    """A record to be: messages with equal keys reach their topic in the order in which they were recorded."""

    topic: str
    key: str
    body: bytes
    headers: Headers

    @classmethod
    def of(cls, event: Event, topic: str, key: str, extra_headers: Headers = ()) -> "Message":
        """An event with the headers that every record bears: type, id, traceparent."""
        headers: Headers = (("type", event_type(event).encode()), ("id", str(event.id).encode()))
        if event.traceparent is not None:
            headers += (("traceparent", event.traceparent.encode()),)
        return cls(topic, key, event.to_bytes(), headers + extra_headers)


def event_type(event: Event) -> str:
    """The CloudEvents type, which every concrete event declares."""
    kind = getattr(event, "type", None)
    if not isinstance(kind, str):
        raise TypeError(f"{type(event).__name__} declares no type: only concrete events are recorded")
    return kind


def slot_of(key: str) -> int:
    """The queue that a key's messages stand in; the same in every process."""
    return zlib.crc32(key.encode()) % SLOTS


def pack_headers(headers: Headers) -> bytes:
    """Headers as they stand in the table: names and values in turn, divided by zero bytes, which neither may hold."""
    packed = b"\0".join([part for name, value in headers for part in (name.encode(), value)])
    if headers and packed.count(b"\0") != 2 * len(headers) - 1:
        raise ValueError("a header holds a zero byte")
    return packed


def unpack_headers(packed: bytes) -> Headers:
    """The headers that ``pack_headers`` was given."""
    parts = packed.split(b"\0") if packed else []
    return tuple([(name.decode(), value) for name, value in zip(parts[::2], parts[1::2], strict=True)])


async def record(transaction: Transaction, messages: Iterable[Message]) -> None:
    """Record messages in the given order: one statement, however many. They go out after the commit, at least once.

    Call it last, when the locks are held that order a member's effects: then ids rise in commit order per key.

    Raises:
        ValueError: a body is over ``BODY_BYTES_MAX``, which no topic takes.
    """
    slots, topics, keys, headers, bodies = [], [], [], [], []
    for message in messages:
        if len(message.body) > BODY_BYTES_MAX:
            raise ValueError(f"{len(message.body)} bytes are too many for {message.topic}")
        slots.append(slot_of(message.key))
        topics.append(message.topic)
        keys.append(message.key)
        headers.append(pack_headers(message.headers))
        bodies.append(message.body)
    if slots:
        await transaction.raw.execute(_RECORD, slots, topics, keys, headers, bodies)
