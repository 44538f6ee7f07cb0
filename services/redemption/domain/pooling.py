"""What a household has together: each member's points stay their own, and a right lets others spend them. Pure.

Spent are the spender's own points first, then those of the others who contribute, in the order of joining.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from services.redemption.domain.redemption import Redemption, Share
from services.redemption.domain.standing import DECLINES, HIDDEN, KnownStatus
from shared.ledger import Purse

# A fixed name space: what a redemption reserves of one owner is one hold, whoever computes its id.
_SHARES = UUID("5d1b9a0e-3c52-5f0a-8c37-9b3c1b8f6a21")


@dataclass(frozen=True, slots=True)
class Place:
    """A member's place in a household, as far as redemption has heard.

    ``is_home``: the member's own event names this household too. Two events tell of joining and of leaving, on their
    ways apart: a right begins with the later of them and ends with the earlier.
    """

    member_id: UUID
    contributes: bool
    may_spend: bool
    shows_purchases: bool
    status: KnownStatus
    is_home: bool


@dataclass(frozen=True, slots=True)
class Household:
    """A household at ``version``, its places in the order of joining."""

    household_id: UUID
    version: int
    places: tuple[Place, ...]

    def place_of(self, member_id: UUID) -> Place | None:
        """A member's place; None for whoever does not belong to it."""
        return next((place for place in self.places if place.member_id == member_id and place.is_home), None)

    def lenders_to(self, spender_id: UUID) -> tuple[UUID, ...]:
        """Whose points this member may spend beside its own, in the order in which they are spent.

        Nobody's without the right. Whoever could not spend their own points lends none either.
        """
        spender = self.place_of(spender_id)
        if spender is None or not spender.may_spend:
            return ()
        return tuple(
            place.member_id
            for place in self.places
            if place.contributes
            and place.is_home
            and place.member_id != spender_id
            and place.status not in HIDDEN
            and DECLINES[place.status] is None
        )

    def shows_to(self, reader_id: UUID) -> tuple[UUID, ...]:
        """Whose purchases this member may see: their own, and those of the others who agreed to show theirs."""
        if self.place_of(reader_id) is None:
            return ()
        return tuple(
            place.member_id
            for place in self.places
            if place.is_home and (place.member_id == reader_id or place.shows_purchases)
        )


def drawn(points: int, amounts: Iterable[int]) -> tuple[int, ...]:
    """How much of ``points`` comes from each of these amounts: all that one has before the next is asked.

    Less than ``points`` in all only where the amounts are less together.
    """
    parts: list[int] = []
    left = points
    for amount in amounts:
        parts.append(min(left, amount))
        left -= parts[-1]
    return tuple(parts)


def shared_out(redemption: Redemption, purses: Sequence[Purse]) -> Redemption | None:
    """The redemption with what it reserves of others, where the spender's purse, the first, has too little.

    None where all of them together have too little.
    """
    parts = drawn(redemption.held_points, [purse.available for purse in purses])
    if sum(parts) < redemption.held_points:
        return None
    shares = [
        Share(purse.owner_id, uuid5(_SHARES, f"{redemption.redemption_id}/{purse.owner_id}"), part, part)
        for purse, part in zip(purses[1:], parts[1:], strict=True)
        if part
    ]
    return replace(redemption, shares=tuple(shares))
