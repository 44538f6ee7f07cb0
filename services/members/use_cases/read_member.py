"""Read a member with the person behind it. Changes nothing."""

from uuid import UUID

from services.members.domain.errors import MemberNotFoundError
from services.members.domain.registry import Identifier, Member, Person
from services.members.repository import registry
from shared.database import Transaction


async def read_member(transaction: Transaction, member_id: UUID) -> tuple[Member, Person]:
    """The member and the person.

    Raises:
        MemberNotFoundError: there is no such member.
    """
    found = await registry.find_member(transaction, member_id)
    if found is None:
        raise MemberNotFoundError("there is no such member")
    return found


async def read_identifiers(transaction: Transaction, member_id: UUID) -> list[Identifier]:
    """What tills can read of the member, in the order of linking; empty for a member that is not there."""
    return await registry.load_identifiers(transaction, member_id)
