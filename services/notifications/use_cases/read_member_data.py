"""Everything that one member was told, for the member."""

from uuid import UUID

from services.notifications.repository import member_data
from services.notifications.repository.member_data import KeptMessage
from shared.database import Transaction
from shared.web.sections import Section, read_key


async def read_messages(
    transaction: Transaction, member_id: UUID, after: str | None, rows_max: int
) -> list[tuple[str, KeptMessage]]:
    """Messages, whatever became of them."""
    found = await member_data.load_messages(transaction, member_id, read_key(after, UUID), rows_max)
    return [(str(kept.message.message_id), kept) for kept in found]


SECTIONS: tuple[Section[KeptMessage], ...] = (read_messages,)
