"""Read a member with the person behind it."""

from dataclasses import replace
from uuid import UUID

from services.members.domain.accesses import Access
from services.members.domain.errors import MemberNotFoundError
from services.members.domain.registry import Identifier, Member, Person, newest_hashes
from services.members.repository import accesses, persons, registry
from services.members.sealing.master_keys import MasterKeys
from services.members.sealing.persons import open_person
from shared.database import Transaction


async def read_member(
    transaction: Transaction, access: Access, master_keys: MasterKeys
) -> tuple[Member, Person | None]:
    """The member and the person; that they were read stands in the record of accesses with the same commit.

    A member that was merged away is answered with the survivor, of whom the record tells. There is no person yet where
    a card joined first and nobody has said whose it is.

    Raises:
        MemberNotFoundError: there is no such member, or nobody is known behind it any more.
        MasterKeyMissingError, SealBrokenError: the person cannot be opened, and no part of it is answered.
    """
    found = await registry.find_member(transaction, access.member_id)
    member, sealed = found or (None, None)
    if member is None or (sealed is None and await persons.find_key(transaction, member.member_id) is None):
        raise MemberNotFoundError("there is no such member")
    if sealed is None:
        return member, None
    person = open_person(master_keys.unwrap(sealed.key, member.member_id), sealed.sealed)
    await accesses.record_access(transaction, replace(access, member_id=member.member_id))
    return member, person


async def read_identifiers(transaction: Transaction, member_id: UUID) -> list[Identifier]:
    """What tills can read of the member, in the order of linking; empty for a member that is not there."""
    return newest_hashes(await registry.load_identifiers(transaction, member_id))
