"""What was decided of one member's spending. Changes nothing."""

from datetime import datetime
from uuid import UUID

from services.fraud.repository import erasure, merges, spend_decisions
from services.fraud.repository.spend_decisions import StoredSpendDecision
from shared.database import Transaction


async def read_member_decisions(
    transaction: Transaction, member_id: UUID, before: tuple[datetime, UUID] | None, rows_max: int
) -> list[StoredSpendDecision]:
    """The decisions, newest ask first, of whoever answers for this id; none for a stranger, or one who was erased."""
    owner_id = (await merges.find_survivors(transaction, [member_id])).get(member_id, member_id)
    if await erasure.is_erased(transaction, owner_id):
        return []
    return await spend_decisions.load_of_member(transaction, owner_id, before, rows_max)
