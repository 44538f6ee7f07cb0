"""Points that had lapsed and are given back: how many of which lot, and until when they last. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from shared.ledger import LotTerms, Reinstate

# One act touches no more lots than a hold does.
LOTS_MAX = 200


@dataclass(frozen=True, slots=True)
class ReinstatementTerms:
    """What the programme has set: points that lapsed within so many days may be given back, and last so many then."""

    within_days: int
    last_days: int

    def since(self, today: date) -> date:
        """The first day of expiry that counts today."""
        return today - timedelta(days=self.within_days)

    def until(self, today: date) -> date:
        """The first day on which what is given back today is gone."""
        return today + timedelta(days=self.last_days)


class LapsedLot(NamedTuple):
    """What lapsed of a lot, less what was given back of it before."""

    account_id: int
    lot_key: bytes
    terms: LotTerms
    points: int


class TakenLot(NamedTuple):
    """How much of a lot is given back."""

    lot: LapsedLot
    points: int


def choose(lapsed: Sequence[LapsedLot], points: int) -> list[TakenLot]:
    """Which lots points are given back of: what lapsed last first, as ``lapsed`` stands; none where fewer did."""
    taken, left = [], points
    for lot in lapsed:
        part = min(left, lot.points)
        if part:
            taken.append(TakenLot(lot, part))
            left -= part
    return taken if left == 0 else []


def commands_of(
    taken: Sequence[TakenLot], owner_id: UUID, point_type: str, reference: bytes, expires_on: date | None
) -> list[Reinstate]:
    """What the ledger is asked for: each lot's own history, with a new day of expiry."""
    return [
        Reinstate(owner_id, point_type, reference, part, replace(lot.terms, expires_on=expires_on))
        for lot, part in taken
    ]
