"""What a service has recorded in its outbox, read back."""

from typing import Generic, NamedTuple, TypeVar

from shared.database import Database
from shared.events.catalogue import TopicEvents
from shared.events.envelope import Event

E = TypeVar("E", bound=Event)


class Recorded(NamedTuple, Generic[E]):
    """One row of an outbox."""

    key: str
    event: E
    body: bytes


async def recorded_events(database: Database, events: TopicEvents[E]) -> list[Recorded[E]]:
    """The events of one topic in the order in which they were recorded."""
    async with database.transaction() as transaction:
        rows = await transaction.raw.fetch("select key, body from outbox where topic = $1 order by id", events.topic)
    return [Recorded(row["key"], events.read(row["body"]), row["body"]) for row in rows]
