"""Say of two members who may be one person that they are two."""

from dataclasses import dataclass
from uuid import UUID

from services.members.domain.duplicates import Dismissal, DuplicateNotFoundError
from services.members.repository import duplicates
from shared.database import Transaction


@dataclass(frozen=True, slots=True)
class DismissalRequest:
    """Who says so, and why."""

    duplicate_id: UUID
    reason_code: str
    dismissed_by: str


async def dismiss_duplicate(transaction: Transaction, request: DismissalRequest) -> Dismissal:
    """Dismiss a pair: it is not suggested again while both persons are as they are. The first dismissal counts.

    Raises:
        DuplicateNotFoundError: it is not in the list (any more).
    """
    dismissal = Dismissal(request.duplicate_id, request.reason_code, request.dismissed_by, transaction.now)
    if await duplicates.dismiss(transaction, dismissal):
        return dismissal
    found = await duplicates.find_state(transaction, request.duplicate_id)
    if found is None or found[0] != "dismissed" or found[1] is None:
        raise DuplicateNotFoundError("there is no such pair in the list: a person was corrected, merged or erased")
    return found[1]
