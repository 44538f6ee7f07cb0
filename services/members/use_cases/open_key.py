"""The key that opens what is personal of a member."""

from uuid import UUID

from services.members.domain.errors import MemberGoneError, MemberNotFoundError
from services.members.repository import persons, registry
from services.members.sealing.master_keys import MasterKeys
from services.members.sealing.member_keys import MemberKey
from shared.database import Transaction


async def open_key(transaction: Transaction, member_id: UUID, master_keys: MasterKeys) -> MemberKey:
    """The member's key, open.

    Raises:
        MemberNotFoundError: there is no such member.
        MemberGoneError: the key was destroyed.
    """
    key = await persons.find_key(transaction, member_id)
    if key is not None:
        return master_keys.unwrap(key, member_id)
    if not await registry.has_member(transaction, member_id):
        raise MemberNotFoundError("there is no such member")
    raise MemberGoneError("nobody is known behind this member any more")
