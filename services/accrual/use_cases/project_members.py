"""Projects members and identifiers, and lets go the receipts that waited for them."""

from collections.abc import Sequence
from uuid import UUID

from services.accrual.repository import parked, projections
from services.accrual.use_cases.release_parked import release_parked
from shared.database import Transaction
from shared.events.members import IdentifierLinked, MemberEnrolled


async def project_members(transaction: Transaction, events: Sequence[MemberEnrolled | IdentifierLinked]) -> int:
    """Take in what happened to members; how many parked receipts were released comes back.

    Idempotent: a row only moves to a higher version. A receipt that is being parked meets us in a meeting row: it
    either sees the registration, or is seen by it.
    """
    members = [event.data for event in events if isinstance(event, MemberEnrolled)]
    identifiers = [event.data for event in events if isinstance(event, IdentifierLinked)]
    owners = {
        parked.waits_for_identifier(identifier.identifier_hash): identifier.member_id
        for identifier in identifiers
        if identifier.state == "active"
    }
    waits_for = {parked.waits_for_member(member.member_id) for member in members} | owners.keys()
    await parked.meet(transaction, waits_for)
    if members:
        await projections.save_members(transaction, members)
    if identifiers:
        await projections.save_identifiers(transaction, identifiers)
    return await release_parked(transaction, waits_for, await _owners_now(transaction, identifiers_of(owners)))


def identifiers_of(waits_for: dict[str, UUID]) -> list[str]:
    """The identifier hashes among meeting keys."""
    return [key.removeprefix("i:") for key in waits_for]


async def _owners_now(transaction: Transaction, identifier_hashes: Sequence[str]) -> dict[str, UUID]:
    """Whose they are after this batch: an old event replayed must not hand receipts to a former owner."""
    if not identifier_hashes:
        return {}
    return await projections.find_members(transaction, identifier_hashes)
