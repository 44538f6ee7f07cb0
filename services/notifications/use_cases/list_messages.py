"""What a member was told. Changes nothing."""

from uuid import UUID

from services.notifications.repository import messages
from services.notifications.repository.messages import StoredMessage
from shared.database import Transaction


async def list_messages(
    transaction: Transaction, member_id: UUID, before: UUID | None, limit: int
) -> list[StoredMessage]:
    """At most ``limit`` of the member's messages, newest first, from before the given one.

    Empty for a member of whom nothing is known here: who is a member is for the registry to say.
    """
    return await messages.load_messages_of_member(transaction, member_id, before, limit)
