"""Propose a privilege, approve it, end it, and grant what is an offer: each a step in the caller's transaction."""

from datetime import date
from uuid import UUID

from services.redemption.domain.errors import UnknownMemberError
from services.redemption.domain.privileges.life import (
    NotAnOfferError,
    Privilege,
    PrivilegeIdTakenError,
    UnknownPrivilegeError,
    approved,
    ended,
    proposed,
)
from services.redemption.domain.privileges.terms import ForOffer, PrivilegeTerms, partners_named
from services.redemption.repository import merges, places, privilege_grants, privileges, projections
from services.redemption.repository.privilege_grants import Grant
from shared.database import Transaction


class UnknownPartnersError(Exception):
    """The terms name partners of whom the coalition has not told."""

    def __init__(self, partner_ids: list[str]) -> None:
        super().__init__(f"no such partner is known: {', '.join(partner_ids)}")


async def propose_privilege(transaction: Transaction, terms: PrivilegeTerms, author: str) -> Privilege:
    """Write a privilege down for a second person to look at; nobody has it yet. The same proposal again is one.

    Raises:
        PrivilegeIdTakenError, UnknownPartnersError: nothing was changed.
    """
    named = partners_named(terms)
    unknown = named - await places.find_known_partners(transaction, named) if named else frozenset()
    if unknown:
        raise UnknownPartnersError(sorted(unknown))
    privilege = proposed(terms, author, transaction.now)
    if await privileges.insert(transaction, privilege):
        return privilege
    found = await privileges.find(transaction, terms.privilege_id)
    if found is None or (found.terms, found.state, found.proposed_by) != (terms, "proposed", author):
        raise PrivilegeIdTakenError
    return found


async def approve_privilege(transaction: Transaction, privilege_id: str, approver: str) -> Privilege:
    """Give members what another person has proposed, from its first day on. Of two who decide at once one is too late.

    Raises:
        UnknownPrivilegeError, OwnPrivilegeError, PrivilegeStateError: nothing was changed.
    """
    step = approved(await _lock(transaction, privilege_id), approver, transaction.now)
    await privileges.save(transaction, step)
    return step


async def end_privilege(transaction: Transaction, privilege_id: str, person: str, reason: str) -> Privilege:
    """Give a privilege no more, or drop a proposal.

    Raises:
        UnknownPrivilegeError, PrivilegeStateError: nothing was changed.
    """
    step = ended(await _lock(transaction, privilege_id), person, reason, transaction.now)
    await privileges.save(transaction, step)
    return step


async def grant_privilege(
    transaction: Transaction, privilege_id: str, member_id: UUID, last_day: date | None, author: str
) -> Grant:
    """Grant an offer to a member, or say another last day of what was granted: a day that is over takes it back.

    Locks the member, so that an erasure is either waited for or finds the grant.

    Raises:
        UnknownPrivilegeError, NotAnOfferError, UnknownMemberError: nothing was changed.
    """
    found = await privileges.find(transaction, privilege_id)
    if found is None:
        raise UnknownPrivilegeError
    if not isinstance(found.terms.entitlement, ForOffer):
        raise NotAnOfferError
    survivor = await merges.find_survivor(transaction, member_id)
    await projections.lock_known_members(transaction, [survivor])
    if not await projections.is_member(transaction, survivor):
        raise UnknownMemberError
    grant = Grant(privilege_id, survivor, last_day, author, transaction.now)
    await privilege_grants.save(transaction, grant)
    return grant


async def _lock(transaction: Transaction, privilege_id: str) -> Privilege:
    found = await privileges.lock(transaction, privilege_id)
    if found is None:
        raise UnknownPrivilegeError
    return found
