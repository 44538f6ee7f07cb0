"""How a member's status came about. Changes nothing."""

from uuid import UUID

from services.members.domain.statuses import StatusChange
from services.members.repository import statuses
from shared.database import Transaction


async def read_status_changes(
    transaction: Transaction, member_id: UUID, *, before_version: int | None, rows_max: int
) -> list[StatusChange]:
    """The changes, newest first; none for a member that is not there or was never changed."""
    return await statuses.load_changes(transaction, member_id, before_version=before_version, rows_max=rows_max)
