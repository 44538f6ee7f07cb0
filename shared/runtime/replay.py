"""Dead letters come back through the retry topic of their service, which nobody else reads."""

from collections.abc import Sequence

from shared.database import Database
from shared.kafka import EventProducer, OutgoingRecord
from shared.kafka.topics import retry_topic
from shared.runtime.dead_letters import LetterPosition, SavedLetter, find_letter, settle

REPLAY_SECONDS_MAX = 10.0


async def replay(
    database: Database, producer: EventProducer, service: str, positions: Sequence[LetterPosition]
) -> list[LetterPosition]:
    """Send pending letters again, in the given order; those that were sent. Others (settled, not there) are left.

    The broker has a letter before its fate is ``replayed``. A crash in between sends it twice, which does no harm:
    every effect is keyed by what the record is about. A letter that dies again comes back as a letter of its own.

    Raises:
        ProducerUnavailableError: the broker is away. What was not sent stays pending.
    """
    replayed: list[LetterPosition] = []
    for position in positions:
        async with database.transaction() as transaction:
            letter = await find_letter(transaction, position)
        if letter is None or letter.fate != "pending" or letter.body is None:
            continue
        await producer.send_all([_again(letter, service)], deadline_seconds=REPLAY_SECONDS_MAX)
        async with database.transaction() as transaction:
            if await settle(transaction, position, "replayed"):
                replayed.append(position)
    return replayed


def _again(letter: SavedLetter, service: str) -> OutgoingRecord:
    topic = letter.position.topic
    suffix = f".{service}.retry"
    return OutgoingRecord(
        topic=topic if topic.endswith(suffix) else retry_topic(topic, service),
        key=letter.key,
        body=letter.body or b"",
        headers=letter.headers,
    )
