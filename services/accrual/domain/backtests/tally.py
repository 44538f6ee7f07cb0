"""Sums of a backtest: what was awarded beside what a draft would have given, by rule, partner, tier, store and day."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from typing import NamedTuple, TypeVar
from uuid import UUID

from services.accrual.domain.backtests.judging import Judged, JudgedReturn
from services.accrual.domain.backtests.receipts import AwardedReceipt
from services.accrual.domain.rules import Rule, RuleSet

TENTHS = 10

K = TypeVar("K")


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


@dataclass(slots=True)
class Sums:
    """What was awarded and what the draft gives, of ``receipts`` in all."""

    receipts: int = 0
    awarded: Side = field(default_factory=Side)
    drafted: Side = field(default_factory=Side)


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


class _Known(NamedTuple):
    """A rule of one version: its name, and its price where it or its campaign says one (millionths)."""

    key: RuleKey
    name: str
    price: int | None


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


@dataclass(slots=True)
class Tally:
    """All sums. ``not_judged`` are receipts to which the draft could not be applied: they are in no other sum."""

    draft: RuleSet
    prices: Prices
    zone: tzinfo
    total: Sums = field(default_factory=Sums)
    partners: dict[str, Sums] = field(default_factory=dict)
    tiers: dict[str | None, Sums] = field(default_factory=dict)
    stores: dict[tuple[str, str], Sums] = field(default_factory=dict)
    days: dict[date, Sums] = field(default_factory=dict)
    rules: dict[RuleKey, RuleSums] = field(default_factory=dict)
    caps: dict[tuple[str, str], CapBite] = field(default_factory=dict)
    not_judged: int = 0
    _known: dict[int, dict[str, _Known]] = field(default_factory=dict)
    _priced: set[int] = field(default_factory=set)

    def count(self, judged: Judged) -> None:
        """Add a receipt."""
        receipt, drafted = judged.receipt, {one.rule_id: one.points for one in judged.applied}
        awarded_cost = self._cost(receipt, receipt.rule_set, receipt.points, receipt.applied)
        drafted_cost = self._cost(receipt, self.draft, judged.points, drafted)
        for sums in self._groups(receipt):
            sums.receipts += 1
            sums.awarded.give(receipt.points, awarded_cost)
            sums.drafted.give(judged.points, drafted_cost)
        for sums_of_rule, points, cost in self._by_rule(receipt, receipt.rule_set, receipt.applied):
            sums_of_rule.awarded.give(points, cost)
        for sums_of_rule, points, cost in self._by_rule(receipt, self.draft, drafted):
            sums_of_rule.drafted.give(points, cost)
        for one in judged.applied:
            for trim in one.trims:
                bite = self.caps.get((one.rule_id, trim.cap), CapBite())
                taken = trim.from_points - trim.to_points
                self.caps[one.rule_id, trim.cap] = CapBite(bite.receipts + 1, bite.points + taken)

    def count_return(self, judged: JudgedReturn) -> None:
        """Take off what came back, where its receipt stands."""
        receipt = judged.receipt
        awarded_cost = self._cost(receipt, receipt.rule_set, judged.awarded_points, judged.awarded_by_rule)
        drafted_cost = self._cost(receipt, self.draft, judged.drafted_points, judged.drafted_by_rule)
        for sums in self._groups(receipt):
            sums.awarded.take(judged.awarded_points, awarded_cost)
            sums.drafted.take(judged.drafted_points, drafted_cost)
        for sums_of_rule, points, cost in self._by_rule(receipt, receipt.rule_set, judged.awarded_by_rule):
            sums_of_rule.awarded.take(points, cost)
        for sums_of_rule, points, cost in self._by_rule(receipt, self.draft, judged.drafted_by_rule):
            sums_of_rule.drafted.take(points, cost)

    def _groups(self, receipt: AwardedReceipt) -> Sequence[Sums]:
        purchase = receipt.purchase
        partner_id = purchase.partner_id
        return (
            self.total,
            _of(self.partners, partner_id),
            _of(self.tiers, receipt.tier),
            _of(self.stores, (partner_id, purchase.store_id)),
            _of(self.days, purchase.occurred_at.astimezone(self.zone).date()),
        )

    def _cost(self, receipt: AwardedReceipt, rule_set: RuleSet, points: int, by_rule: Mapping[str, int]) -> int:
        """What points cost: at the price that their rules say, else at the partner's."""
        price, known = self.prices.of(receipt.purchase.partner_id), self._rules_of(rule_set)
        cost = points * price
        if rule_set.version in self._priced:
            for rule_id, given in by_rule.items():
                own_price = known[rule_id].price
                cost += 0 if own_price is None else (own_price - price) * given
        return cost

    def _by_rule(
        self, receipt: AwardedReceipt, rule_set: RuleSet, by_rule: Mapping[str, int]
    ) -> Iterator[tuple[RuleSums, int, int]]:
        price, known = self.prices.of(receipt.purchase.partner_id), self._rules_of(rule_set)
        for rule_id, points in by_rule.items():
            key, name, own_price = known[rule_id]
            sums = self.rules.get(key)
            if sums is None:
                sums = self.rules[key] = RuleSums(name)
            # Points of other types are no money.
            cost = 0 if key.point_type is not None else points * (price if own_price is None else own_price)
            yield sums, points, cost

    def _rules_of(self, rule_set: RuleSet) -> dict[str, _Known]:
        known = self._known.get(rule_set.version)
        if known is None:
            known = self._known[rule_set.version] = {rule.id: _known(rule, rule_set) for rule in rule_set.rules}
            if any(one.price is not None for one in known.values()):
                self._priced.add(rule_set.version)
        return known


def _known(rule: Rule, rule_set: RuleSet) -> _Known:
    funding = rule_set.terms_of(rule.id).funding
    return _Known(
        RuleKey(rule.id, rule.effect.point_type), rule.name, None if funding is None else funding.price_millionths
    )


def spread_of(differences: Iterable[tuple[UUID, int]], foremost_max: int) -> Spread:
    """How differences of one sign are spread over members: each tenth ends with at most so much, the last with most."""
    ordered = sorted(differences, key=lambda one: (abs(one[1]), one[0].int))
    count = len(ordered)
    tenths = tuple(ordered[-(-tenth * count // TENTHS) - 1][1] for tenth in range(1, TENTHS + 1)) if ordered else ()
    return Spread(count, sum(points for _, points in ordered), tenths, tuple(reversed(ordered[-foremost_max:])))


def _of(sums: dict[K, Sums], key: K) -> Sums:
    found = sums.get(key)
    if found is None:
        found = sums[key] = Sums()
    return found
