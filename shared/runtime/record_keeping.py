"""What all handlers do alike: remember how far they have read, and keep dead letters until their fate is settled."""

from collections.abc import Sequence
from typing import Any

from shared.database import Database, read_to
from shared.kafka import DeadLetter, ReadPosition
from shared.runtime import dead_letters


class RecordKeeping:
    """A handler's other half; the handler itself says what a batch does (``handle``)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def idle(self, positions: Sequence[ReadPosition]) -> None:
        """Nothing came: how far the topic has been read all the same."""
        async with self._database.transaction() as transaction:
            await read_to.save(transaction, positions)

    async def dead_lettered(self, letter: DeadLetter[Any]) -> None:
        """Keep the letter until somebody settles it. Safe to repeat."""
        async with self._database.transaction() as transaction:
            await dead_letters.save(transaction, letter)
