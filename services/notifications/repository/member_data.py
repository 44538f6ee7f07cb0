"""What one member was told, message by message. The id is taken as it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.notifications.repository.messages import StoredMessage
from shared.database import Transaction

_LOAD_MESSAGES = """
    select message_id, template, channel, state, reason, opened_at, due_at, settled_at
    from messages
    where member_id = $1 and ($2::uuid is null or message_id > $2)
    order by message_id
    limit $3
"""
_LOAD_ENTRIES = """
    select message_id, receipt_key, partner_id, points, debt_cleared, occurred_at
    from digest_entries
    where message_id = any($1::uuid[])
    order by occurred_at, receipt_key, part
"""
_LOAD_NEWS = """
    select message_id, kind, points, name, last_day, point_type, occurred_at
    from news_entries
    where message_id = any($1::uuid[])
    order by occurred_at, event_id
"""


@dataclass(frozen=True, slots=True)
class KeptEntry:
    """A receipt that a digest told of."""

    receipt_key: bytes
    partner_id: str
    points: int
    debt_cleared: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class KeptNews:
    """Something else that a message told of: its kind, and what it said."""

    kind: str
    points: int
    name: str | None
    last_day: date | None
    point_type: str | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message, the receipts that it told of, and what else it told, the oldest first."""

    message: StoredMessage
    entries: Sequence[KeptEntry]
    news: Sequence[KeptNews]


async def load_messages(
    transaction: Transaction, member_id: UUID, after: UUID | None, rows_max: int
) -> list[KeptMessage]:
    """Messages in the order of their ids, each with all that it told of."""
    rows = await transaction.raw.fetch(_LOAD_MESSAGES, member_id, after, rows_max)
    messages = [StoredMessage(**dict(row)) for row in rows]
    entries: dict[UUID, list[KeptEntry]] = {message.message_id: [] for message in messages}
    for message_id, *entry in await transaction.raw.fetch(_LOAD_ENTRIES, list(entries)):
        entries[message_id].append(KeptEntry(*entry))
    news: dict[UUID, list[KeptNews]] = {message.message_id: [] for message in messages}
    for message_id, *told in await transaction.raw.fetch(_LOAD_NEWS, list(news)):
        news[message_id].append(KeptNews(*told))
    return [KeptMessage(message, entries[message.message_id], news[message.message_id]) for message in messages]
