"""Locks whoever has the points of some members: themselves, or the survivors of those who were merged away."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from services.accrual.repository import projections
from shared import ledger
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.events.members import MemberStatus


@dataclass(frozen=True, slots=True)
class Owner:
    """Who has a member's points, and the status of that one; None where it is not known here."""

    owner_id: UUID
    status: MemberStatus | None


async def find_owners(transaction: Transaction, member_ids: Collection[UUID]) -> dict[UUID, Owner]:
    """The same for who changes nothing: nobody is locked."""
    survivors = await ledger.find_survivors(transaction, member_ids)
    owners = {member_id: survivors.get(member_id, member_id) for member_id in member_ids}
    statuses = await projections.find_statuses(transaction, list(owners.values()))
    return {member_id: Owner(owner_id, statuses.get(owner_id)) for member_id, owner_id in owners.items()}


async def lock_owners(transaction: Transaction, member_ids: Collection[UUID]) -> dict[UUID, Owner]:
    """Lock them in key order to the commit; who they are, by the id that was asked for.

    Raises:
        StartAgainError: one was merged away while we waited for its row.
    """
    survivors = await ledger.find_survivors(transaction, member_ids)
    owners = {survivors.get(member_id, member_id) for member_id in member_ids}
    locked = await projections.lock_members(transaction, owners)
    merged = {owner for owner, status in locked.items() if status == "merged"}
    if merged and await ledger.find_survivors(transaction, merged):  # else only the status was told so far
        raise StartAgainError("a member was merged away meanwhile")
    found = {member_id: survivors.get(member_id, member_id) for member_id in member_ids}
    return {member_id: Owner(owner_id, locked.get(owner_id)) for member_id, owner_id in found.items()}
