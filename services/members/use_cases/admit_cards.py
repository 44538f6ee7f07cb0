"""Whether cards may become somebody's: those of a declared range only as the range says."""

from collections.abc import Iterable

from services.members.domain.card_ranges import may_be_linked
from services.members.domain.errors import CardNotIssuedError
from services.members.domain.registry import Claim
from services.members.repository import card_ranges
from shared.database import Transaction


async def find_unissued(transaction: Transaction, claims: Iterable[Claim]) -> frozenset[str]:
    """The hashes of those cards that may not be linked. A card that lies in no range may. One statement, if any."""
    numbers = {claim.card: claim.hash for claim in claims if claim.card is not None}
    if not numbers:
        return frozenset()
    found = await card_ranges.find_ranges(transaction, list(numbers))
    return frozenset(numbers[number] for number, of in found.items() if not may_be_linked(of, number))


async def admit_cards(transaction: Transaction, claims: Iterable[Claim]) -> None:
    """Raises CardNotIssuedError where one of them may not be linked."""
    if await find_unissued(transaction, claims):
        raise CardNotIssuedError("the card's batch is not issued, or was withdrawn; or its check digit does not fit")
