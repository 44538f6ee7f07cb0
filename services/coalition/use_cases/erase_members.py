"""Forgets whatever leads to an erased person: records that could not be handled, which bear ids and hashes."""

from collections.abc import Sequence

from services.coalition.repository import erased_members
from shared.database import Transaction
from shared.events.members import MemberErased
from shared.runtime import dead_letters


async def erase_members(transaction: Transaction, events: Sequence[MemberErased]) -> None:
    """Put up tombstones, and blank the dead letters of these members and of their identifiers. Idempotent."""
    erasures = [event.data for event in events]
    await erased_members.save(transaction, {erasure.member_id for erasure in erasures})
    keys = {str(erasure.member_id) for erasure in erasures}
    hashes = {hashed for erasure in erasures for hashed in erasure.identifier_hashes}
    await dead_letters.erase(transaction, sorted(keys | hashes))
