"""Whose identifier is this? Changes nothing."""

from uuid import UUID

from services.members.domain.errors import IdentifierUnknownError
from services.members.domain.registry import Claim
from services.members.repository import registry
from shared.database import Transaction


async def resolve_identifier(transaction: Transaction, claim: Claim) -> UUID:
    """The member that an identifier leads to.

    Raises:
        IdentifierUnknownError: it is nobody's.
    """
    holder = await registry.find_holder(transaction, claim.hash)
    if holder is None:
        raise IdentifierUnknownError("the identifier belongs to no member")
    return holder
