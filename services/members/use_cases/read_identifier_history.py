"""What happened to a member's identifiers. Changes nothing."""

from uuid import UUID

from services.members.repository import identifiers, registry
from services.members.repository.identifiers import Change
from shared.database import Transaction


async def read_identifier_history(transaction: Transaction, member_id: UUID) -> list[Change]:
    """Newest first, of identifiers that were the member's at the time; empty for a member that is not there.

    Members who were merged have one history, under either id.
    """
    present_id = await registry.find_present_id(transaction, member_id)
    return await identifiers.load_changes(transaction, present_id or member_id)
