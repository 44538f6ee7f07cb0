"""Events into the outbox, in the transaction of the effect that they tell of."""

import zlib
from collections.abc import Iterable
from typing import NamedTuple

from shared.database.engine import Transaction
from shared.database.later import Write
from shared.events.envelope import Event
from shared.outbox.ddl import SLOTS

BODY_BYTES_MAX = 1_000_000
Headers = tuple[tuple[str, bytes], ...]

_COLUMNS = ("slot", "topic", "key", "headers", "body")
# Ids are drawn in the order of the arrays.
_RECORD = f"""
    insert into outbox ({", ".join(_COLUMNS)})
    select * from unnest($1::smallint[], $2::text[], $3::text[], $4::bytea[], $5::bytea[])
"""


class Message(NamedTuple):
    """A record to be: messages with equal keys reach their topic in the order in which they were recorded."""

    topic: str
    key: str
    body: bytes
    headers: Headers

    @classmethod
    def of(cls, event: Event, topic: str, key: str, extra_headers: Headers = ()) -> "Message":
        """An event with the headers that every record bears: type, id, traceparent."""
        headers = _headers(event_type(event), str(event.id), event.traceparent)
        return cls(topic, key, event.to_bytes(), headers + extra_headers)

    @classmethod
    def written(cls, kind: str, event_id: str, traceparent: str | None, body: bytes, topic: str, key: str) -> "Message":
        """The same for an event that is bytes already. What becomes headers must stand in the body too."""
        return cls(topic, key, body, _headers(kind, event_id, traceparent))


def _headers(kind: str, event_id: str, traceparent: str | None) -> Headers:
    headers: Headers = (("type", kind.encode()), ("id", event_id.encode()))
    return headers if traceparent is None else (*headers, ("traceparent", traceparent.encode()))


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
    parts: list[bytes] = []
    for name, value in headers:
        parts += name.encode(), value
    packed = b"\0".join(parts)
    if headers and packed.count(b"\0") != 2 * len(headers) - 1:
        raise ValueError("a header holds a zero byte")
    return packed


def unpack_headers(packed: bytes) -> Headers:
    """The headers that ``pack_headers`` was given."""
    parts = iter(packed.split(b"\0") if packed else ())
    return tuple([(name.decode(), value) for name, value in zip(parts, parts, strict=True)])


async def record(transaction: Transaction, messages: Iterable[Message]) -> None:
    """Record messages in the given order: one COPY, however many. They go out after the commit, at least once.

    Call it last, when the locks are held that order a member's effects: then ids rise in commit order per key.

    Raises:
        ValueError: a body is over ``BODY_BYTES_MAX``, which no topic takes.
    """
    if rows := _rows(messages):  # COPY draws the ids row by row: they rise in the given order
        await transaction.raw.copy_records_to_table("outbox", columns=_COLUMNS, records=rows)


def record_later(transaction: Transaction, *messages: Message) -> None:
    """Record messages in the given order with the transaction's last statement, which comes after every lock.

    Raises:
        ValueError: a body is over ``BODY_BYTES_MAX``.
    """
    if rows := _rows(messages):
        transaction.later.append(Write(_RECORD, list(zip(*rows, strict=True))))


def _rows(messages: Iterable[Message]) -> list[tuple[int, str, str, bytes, bytes]]:
    rows = []
    for topic, key, body, headers in messages:
        if len(body) > BODY_BYTES_MAX:
            raise ValueError(f"{len(body)} bytes are too many for {topic}")
        rows.append((slot_of(key), topic, key, pack_headers(headers), body))
    return rows
