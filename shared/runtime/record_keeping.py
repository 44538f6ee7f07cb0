"""What all handlers do alike: remember how far they have read, and keep dead letters until their fate is settled."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.database import Database, Transaction, read_to
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
            await self.keep(transaction, letter)

    async def keep(self, transaction: Transaction, letter: DeadLetter[Any]) -> None:
        """Keep the letter; of one whose member has been erased, only that it was there."""
        member_id = _member_of(letter)
        if member_id is not None and await self.is_erased(transaction, member_id):
            await dead_letters.save_erased(transaction, letter)
        else:
            await dead_letters.save(transaction, letter)

    async def is_erased(self, transaction: Transaction, member_id: UUID) -> bool:  # noqa: ARG002 -- for who overrides it
        """Whether the member was erased, kept so until the transaction ends. A service that hears of members says."""
        return False


def _member_of(letter: DeadLetter[Any]) -> UUID | None:
    """Whom a letter is about: its event says so, or the key that it travelled under."""
    named = getattr(getattr(letter.event, "data", None), "member_id", None)
    if isinstance(named, UUID):
        return named
    try:
        return UUID((letter.key or b"").decode())
    except ValueError:
        return None
