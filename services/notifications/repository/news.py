"""Open news: filled by event, closed by time. Their members' rows are locked by whoever fills or closes them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.notifications.domain.news import TEMPLATE, TEMPLATE_VERSION, Fact, News
from services.notifications.repository.messages import open_messages
from shared.database import Transaction

_FIND_OPEN = "select member_id, news_id from recipients where member_id = any($1::uuid[]) and news_id is not null"

_FIND_ENTRIES = "select event_id from news_entries where event_id = any($1::uuid[])"

_OPEN_NEWS = """
    update recipients set news_id = opened.message_id, news_due_at = $3
    from unnest($1::uuid[], $2::uuid[]) as opened (message_id, member_id)
    where recipients.member_id = opened.member_id
"""

_ADD_ENTRIES = """
    insert into news_entries (event_id, message_id, kind, points, name, last_day, point_type, occurred_at)
    select * from unnest(
        $1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::date[], $7::text[], $8::timestamptz[]
    )
    on conflict (event_id) do nothing
"""

# A recipient whose news are being added to right now is left for the next pass, so that nobody waits here.
_CLOSE = """
    with due as (
        select member_id, news_id from recipients
        where news_due_at <= $1
        order by news_due_at
        limit $2
        for no key update skip locked
    ), closed as (
        update recipients set news_id = null, news_due_at = null
        from due where recipients.member_id = due.member_id
    )
    update messages set state = 'queued', next_attempt_at = now()
    from due where messages.message_id = due.news_id
"""

_LOAD = """
    select message_id, kind, points, name, last_day, point_type, occurred_at
    from news_entries
    where message_id = any($1::uuid[])
    order by occurred_at, event_id
"""


async def find_open(transaction: Transaction, member_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The open news of these members, whose rows are locked; absent where none are open."""
    rows = await transaction.raw.fetch(_FIND_OPEN, list(member_ids))
    return {row["member_id"]: row["news_id"] for row in rows}


async def find_entries(transaction: Transaction, event_ids: Collection[UUID]) -> set[UUID]:
    """Which of these events were told, or are about to be."""
    rows = await transaction.raw.fetch(_FIND_ENTRIES, list(event_ids))
    return {row["event_id"] for row in rows}


async def open_news(
    transaction: Transaction,
    message_ids: Mapping[UUID, UUID],
    traceparents: Mapping[UUID, str | None],
    due_at: datetime,
) -> None:
    """Open one message for each member in ``message_ids`` (member → message). Their rows are locked."""
    await open_messages(transaction, message_ids, traceparents, (TEMPLATE, TEMPLATE_VERSION), due_at)
    await transaction.raw.execute(_OPEN_NEWS, list(message_ids.values()), list(message_ids), due_at)


async def add_entries(transaction: Transaction, told: Sequence[News], message_ids: Mapping[UUID, UUID]) -> None:
    """Add each to its member's message."""
    await transaction.raw.execute(
        _ADD_ENTRIES,
        [news.event_id for news in told],
        [message_ids[news.member_id] for news in told],
        [news.fact.kind for news in told],
        [news.fact.points for news in told],
        [news.fact.name for news in told],
        [news.fact.last_day for news in told],
        [news.fact.point_type for news in told],
        [news.occurred_at for news in told],
    )


async def close_due_news(transaction: Transaction, limit: int) -> None:
    """Queue the messages of news that are due, oldest first. Waits for nobody."""
    await transaction.raw.execute(_CLOSE, transaction.now, limit)


async def load_facts(
    transaction: Transaction, message_ids: Collection[UUID]
) -> dict[UUID, list[tuple[datetime, Fact]]]:
    """What each of these messages has to say, and when it happened; nothing of one that tells no news."""
    facts: dict[UUID, list[tuple[datetime, Fact]]] = {message_id: [] for message_id in message_ids}
    for row in await transaction.raw.fetch(_LOAD, list(message_ids)):
        fact = Fact(row["kind"], row["points"], row["name"], row["last_day"], row["point_type"])
        facts[row["message_id"]].append((row["occurred_at"], fact))
    return facts
