"""What the registry and the coalition tell becomes what redemption knows."""

from collections.abc import Sequence

from services.redemption.repository import projections
from shared.database import Transaction
from shared.events.coalition import CoalitionEvent, PartnerChanged, TillChanged
from shared.events.members import IdentifierLinked, IdentifierRevoked, MemberEvent, MemberStated


async def project_members(transaction: Transaction, events: Sequence[MemberEvent]) -> None:
    """Take in members and identifiers. Idempotent, in any order: a row only moves to a higher version."""
    identifiers = [event.data for event in events if isinstance(event, IdentifierLinked | IdentifierRevoked)]
    members = [event.data for event in events if isinstance(event, MemberStated)]
    if identifiers:
        await projections.save_identifiers(transaction, identifiers)
    if members:
        await projections.save_members(transaction, members)


async def project_coalition(transaction: Transaction, events: Sequence[CoalitionEvent]) -> None:
    """Take in partners and tills. Idempotent, in any order: a row only moves to a higher version."""
    partners = [event for event in events if isinstance(event, PartnerChanged)]
    tills = [event.data for event in events if isinstance(event, TillChanged)]
    if partners:
        await projections.save_partners(transaction, partners)
    if tills:
        await projections.save_tills(transaction, tills)
