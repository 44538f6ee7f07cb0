"""Who answers for a member's id today. Changes nothing."""

from uuid import UUID

from services.members.domain.errors import MemberNotFoundError
from services.members.repository import registry
from shared.database import Transaction


async def present_id(transaction: Transaction, member_id: UUID) -> UUID:
    """The member itself, or the survivor where it was merged away: whoever reads under an old id reads of that one.

    Raises:
        MemberNotFoundError: there is no such member.
    """
    found = await registry.find_present_id(transaction, member_id)
    if found is None:
        raise MemberNotFoundError("there is no such member")
    return found
