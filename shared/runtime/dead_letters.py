"""Dead letters as a service keeps them: the record as it came, why it died, and what became of it.

The topic of dead letters is a log; this table is the desk. A letter is identified by where it was read, so that one
that is saved twice is one. Its fate is ``pending`` until somebody replays or discards it, or its member is erased.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

import structlog

from shared.database import Transaction
from shared.kafka import DeadLetter
from shared.telemetry.logs import event_logged
from shared.telemetry.trace_context import traced

log = structlog.get_logger(__name__)

Fate: TypeAlias = Literal["pending", "replayed", "discarded", "erased"]

CAUSE_LENGTH_MAX = 64
DETAIL_LENGTH_MAX = 1_000
LIST_ROWS_MAX = 500

DEAD_LETTERS_DDL: tuple[str, ...] = (
    """
    create table dead_letters (
        topic text not null,  -- without the prefix; where it was read, which may be the retry topic
        topic_partition integer not null,
        topic_offset bigint not null,
        record_key bytea,
        header_names text[] not null,
        header_values bytea[] not null,
        body bytea,
        event_type text,
        event_id text,
        cause text not null,
        detail text not null,
        fate text not null default 'pending' check (fate in ('pending', 'replayed', 'discarded', 'erased')),
        died_at timestamptz not null,  -- business time, as the next
        settled_at timestamptz,
        primary key (topic, topic_partition, topic_offset),
        check ((fate = 'pending') = (settled_at is null))
    )
    """,
    "create index dead_letters_pending on dead_letters (died_at) where fate = 'pending'",
    "create index dead_letters_key on dead_letters (record_key) where fate <> 'erased'",
)

_SAVE = """
    insert into dead_letters (topic, topic_partition, topic_offset, record_key, header_names, header_values, body,
                              event_type, event_id, cause, detail, died_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    on conflict (topic, topic_partition, topic_offset) do nothing  -- the record came again before its offset was kept
"""
_SAVE_ERASED = """
    insert into dead_letters (topic, topic_partition, topic_offset, header_names, header_values, event_type, cause,
                              detail, fate, died_at, settled_at)
    values ($1, $2, $3, '{}', '{}', $4, $5, '', 'erased', $6, $6)
    on conflict (topic, topic_partition, topic_offset) do nothing
"""
_COLUMNS = """
    topic, topic_partition, topic_offset, record_key, header_names, header_values, body, event_type, event_id, cause,
    detail, fate, died_at, settled_at
"""
_LIST = f"""
    select {_COLUMNS} from dead_letters
    where ($1::text is null or fate = $1) and ($2::text is null or topic = $2)
    order by died_at, topic, topic_partition, topic_offset
    limit $3
"""
_LOAD = f"""
    select {_COLUMNS} from dead_letters where topic = $1 and topic_partition = $2 and topic_offset = $3
"""
_LOCK = _LOAD + " for no key update"
_SETTLE = """
    update dead_letters set fate = $4, settled_at = $5
    where topic = $1 and topic_partition = $2 and topic_offset = $3 and fate = 'pending'
"""
_ERASE = """
    update dead_letters
    set fate = 'erased', settled_at = $2, record_key = null, body = null, detail = '', event_id = null,
        header_names = '{}', header_values = '{}'
    where record_key = any($1::bytea[]) and fate <> 'erased'
"""


@dataclass(frozen=True, slots=True, order=True)
class LetterPosition:
    """Where the record was read: a letter's identity, written ``topic/partition/offset``."""

    topic: str
    partition: int
    offset: int

    @classmethod
    def parse(cls, text: str) -> "LetterPosition":
        """The inverse of ``str``.

        Raises:
            ValueError: not of that form.
        """
        topic, partition, offset = text.rsplit("/", 2)
        return cls(topic, int(partition), int(offset))

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class SavedLetter:
    """A letter as it stands in the table. An erased one has lost its key, headers and body."""

    position: LetterPosition
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    body: bytes | None
    event_type: str | None
    event_id: str | None
    cause: str
    detail: str
    fate: Fate
    died_at: datetime
    settled_at: datetime | None


async def save(transaction: Transaction, letter: DeadLetter[Any]) -> None:
    """Keep a letter, and say so under its event's id and trace. One that is there already stays as it is."""
    with traced(_header(letter, "traceparent")), event_logged(_header(letter, "id")):
        log.warning(
            "dead letter",
            topic=letter.topic,
            partition=letter.partition,
            offset=letter.offset,
            cause=letter.cause,
            detail=letter.detail,
        )
    await transaction.raw.execute(
        _SAVE,
        letter.topic,
        letter.partition,
        letter.offset,
        letter.key,
        list(letter.headers.keys()),
        list(letter.headers.values()),
        letter.body,
        _header(letter, "type"),
        _header(letter, "id"),
        letter.cause[:CAUSE_LENGTH_MAX],
        letter.detail[:DETAIL_LENGTH_MAX].replace("\x00", ""),
        transaction.now,
    )


async def save_erased(transaction: Transaction, letter: DeadLetter[Any]) -> None:
    """Keep of a letter only that it was there: its member had been erased when it died."""
    await transaction.raw.execute(
        _SAVE_ERASED,
        letter.topic,
        letter.partition,
        letter.offset,
        _header(letter, "type"),
        letter.cause[:CAUSE_LENGTH_MAX],
        transaction.now,
    )


async def list_letters(
    transaction: Transaction, *, fate: Fate | None = "pending", topic: str | None = None, rows_max: int = LIST_ROWS_MAX
) -> list[SavedLetter]:
    """Letters of one fate (None: of any) and topic (None: of all), oldest first."""
    return [_saved(row) for row in await transaction.raw.fetch(_LIST, fate, topic, rows_max)]


async def find_letter(transaction: Transaction, position: LetterPosition, *, lock: bool = False) -> SavedLetter | None:
    """The letter at this position; with ``lock``, kept from others until the transaction ends."""
    statement = _LOCK if lock else _LOAD
    row = await transaction.raw.fetchrow(statement, position.topic, position.partition, position.offset)
    return None if row is None else _saved(row)


async def settle(transaction: Transaction, position: LetterPosition, fate: Literal["replayed", "discarded"]) -> bool:
    """Decide the fate of a pending letter; whether it was pending."""
    status: str = await transaction.raw.execute(
        _SETTLE, position.topic, position.partition, position.offset, fate, transaction.now
    )
    return status.endswith(" 1")


async def erase(transaction: Transaction, keys: Sequence[str]) -> int:
    """Blank the letters under these record keys (a member's id and the hashes of its identifiers); how many."""
    status: str = await transaction.raw.execute(_ERASE, [key.encode() for key in keys], transaction.now)
    return int(status.rpartition(" ")[2])


def _header(letter: DeadLetter[Any], name: str) -> str | None:
    value = letter.headers.get(name)
    return None if value is None else value[:200].decode(errors="replace").replace("\x00", "")


def _saved(row: Any) -> SavedLetter:
    return SavedLetter(
        position=LetterPosition(row["topic"], row["topic_partition"], row["topic_offset"]),
        key=row["record_key"],
        headers=tuple(zip(row["header_names"], row["header_values"], strict=True)),
        body=row["body"],
        event_type=row["event_type"],
        event_id=row["event_id"],
        cause=row["cause"],
        detail=row["detail"],
        fate=row["fate"],
        died_at=row["died_at"],
        settled_at=row["settled_at"],
    )
