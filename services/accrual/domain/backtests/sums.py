"""What a backtest sums up: points given, taken back and their cost, awarded beside drafted; and how both differ."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

TENTHS = 10


@dataclass(slots=True)
class Side:
    """One of the two: points given for how many receipts, those of them that came back, and what the rest costs.

    Points are the programme's own; costs are millionths of the currency's major unit.
    """

    receipts: int = 0
    points: int = 0
    taken_back: int = 0
    cost_millionths: int = 0

    def give(self, points: int, cost_millionths: int) -> None:
        """A receipt was given points, or none."""
        self.receipts += 1 if points else 0
        self.points += points
        self.cost_millionths += cost_millionths

    def take(self, points: int, cost_millionths: int) -> None:
        """Goods came back."""
        self.taken_back += points
        self.cost_millionths -= cost_millionths

    def add(self, other: "Side") -> None:
        """More of the same."""
        self.receipts += other.receipts
        self.points += other.points
        self.taken_back += other.taken_back
        self.cost_millionths += other.cost_millionths


@dataclass(slots=True)
class Sums:
    """What was awarded and what the draft gives, of ``receipts`` in all."""

    receipts: int = 0
    awarded: Side = field(default_factory=Side)
    drafted: Side = field(default_factory=Side)

    def add(self, other: "Sums") -> None:
        """More receipts, and what was given for them."""
        self.receipts += other.receipts
        self.awarded.add(other.awarded)
        self.drafted.add(other.drafted)


class RuleKey(NamedTuple):
    """One rule, whatever its version: ``point_type`` None is the programme's own."""

    rule_id: str
    point_type: str | None


@dataclass(slots=True)
class RuleSums:
    """What one rule gave, and gives in the draft."""

    name: str
    awarded: Side = field(default_factory=Side)
    drafted: Side = field(default_factory=Side)


class CapBite(NamedTuple):
    """How often a cap of the draft left a rule less, and how much it took."""

    receipts: int = 0
    points: int = 0


class Prices(NamedTuple):
    """What a point costs, in millionths of the currency's major unit, where no rule says: by partner, else for all."""

    by_partner: Mapping[str, int]
    others: int

    def of(self, partner_id: str) -> int:
        """The price of this partner's points."""
        return self.by_partner.get(partner_id, self.others)


class Spread(NamedTuple):
    """Members whose points the draft changes in one direction: the sum, and the tenths of them by how much."""

    members: int
    points: int
    tenths: tuple[int, ...]
    foremost: tuple[tuple[UUID, int], ...]


def spread_of(differences: Iterable[tuple[UUID, int]], foremost_max: int) -> Spread:
    """How differences of one sign are spread over members: each tenth ends with at most so much, the last with most."""
    ordered = sorted(differences, key=lambda one: (abs(one[1]), one[0].int))
    count = len(ordered)
    tenths = tuple(ordered[-(-tenth * count // TENTHS) - 1][1] for tenth in range(1, TENTHS + 1)) if ordered else ()
    return Spread(count, sum(points for _, points in ordered), tenths, tuple(reversed(ordered[-foremost_max:])))
