"""Declare ranges of printed cards, issue them, withdraw them."""

from uuid import UUID

from services.members.domain.card_ranges import CardRange, RangeState, judge_range_change
from services.members.domain.errors import CardRangeNotFoundError, CardRangeOverlapsError
from services.members.repository import card_ranges
from shared.database import Transaction


async def declare_card_range(transaction: Transaction, card_range: CardRange, declared_by: str) -> CardRange:
    """Write a new range. Two that are declared at once wait for each other.

    Raises:
        CardRangeOverlapsError: some of its numbers are in another range.
    """
    if not await card_ranges.insert_range(transaction, card_range, declared_by):
        raise CardRangeOverlapsError("some of these numbers are in another range: ranges may not overlap")
    return card_range


async def change_card_range(
    transaction: Transaction, range_id: UUID, state: RangeState, reason_code: str, changed_by: str
) -> CardRange:
    """Issue or withdraw a range; it counts with the commit. One that is so already stands as it is.

    Raises:
        CardRangeNotFoundError, CardRangeStateError
    """
    found = await card_ranges.lock_range(transaction, range_id)
    if found is None:
        raise CardRangeNotFoundError("there is no such range")
    if found.state == state:
        return found
    judge_range_change(found.state, state)
    return await card_ranges.change_range(transaction, range_id, state, reason_code, changed_by)


async def read_card_ranges(transaction: Transaction) -> list[CardRange]:
    """All ranges in the order of their numbers."""
    return await card_ranges.load_ranges(transaction)
