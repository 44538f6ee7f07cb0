"""Whose points, beside their own, a member may spend: found and locked before the member is."""

from collections.abc import Collection, Sequence
from uuid import UUID

from services.redemption.repository import households, projections
from shared.database import Transaction
from shared.database.errors import StartAgainError


async def lock_lenders(
    transaction: Transaction, member_id: UUID | None, identifier_hashes: Sequence[str]
) -> tuple[UUID, ...]:
    """Lock a member, named by id or by identifier, with those of its household who lend to it, in key order.

    Gives whom it locked: nobody, where there is nobody who lends.
    """
    found = await households.find_spender(transaction, member_id, identifier_hashes)
    if found is None or found.household_id is None:
        return ()
    household = await households.find_household(transaction, found.household_id)
    lenders = () if household is None else household.lenders_to(found.member_id)
    if not lenders:
        return ()
    locked = (found.member_id, *lenders)
    await projections.lock_known_members(transaction, locked)
    return locked


async def lenders_to(transaction: Transaction, member_id: UUID, locked: Collection[UUID]) -> Sequence[UUID]:
    """Who lends to this member as committed by now, of those who are locked, in the order of spending.

    Raises:
        StartAgainError: the identifier came to another member while the locks were waited for.
    """
    if not locked:
        return ()
    if member_id not in locked:
        raise StartAgainError("another member has the identifier meanwhile")
    found = await households.find_spender(transaction, member_id)
    if found is None or found.household_id is None:
        return ()
    household = await households.find_household(transaction, found.household_id)
    return () if household is None else [one for one in household.lenders_to(member_id) if one in locked]
