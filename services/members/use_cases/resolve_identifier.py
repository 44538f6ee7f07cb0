"""Whose identifier is this? Changes nothing."""

from collections.abc import Sequence

from services.members.domain.linking import choose_identifier
from services.members.domain.registry import Claim, Identifier, IdentifierKind
from services.members.repository import identifiers
from shared.database import Transaction


async def resolve_identifier(
    transaction: Transaction, claims: Sequence[Claim], match_order: Sequence[IdentifierKind]
) -> Identifier:
    """Of what a till has read, the identifier that counts: the first in the programme's order that is in use.

    Raises:
        IdentifierUnknownError: none is anybody's.
        IdentifierNotActiveError: those that are somebody's were blocked, lost or replaced.
    """
    found = await identifiers.find_identifiers(transaction, [claim.hash for claim in claims])
    return choose_identifier([found[claim.hash] for claim in claims if claim.hash in found], match_order)
