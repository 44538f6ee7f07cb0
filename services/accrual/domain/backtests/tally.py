"""The tally of a backtest: receipts and returns, awarded and drafted, by rule, partner, tier, store and day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo
from typing import NamedTuple, TypeAlias, TypeVar

from services.accrual.domain.backtests.judging import Judged, JudgedReturn
from services.accrual.domain.backtests.receipts import AwardedReceipt
from services.accrual.domain.backtests.sums import CapBite, Prices, RuleKey, RuleSums, Side, Sums
from services.accrual.domain.earning_windows import day_on
from services.accrual.domain.rules import Rule, RuleSet

# So many sums are kept apart before they are spread over the tables.
PLACES_MAX = 10_000

K = TypeVar("K")


class _Known(NamedTuple):
    """A rule of one version: its name, and its price where it or its campaign says one (millionths)."""

    key: RuleKey
    name: str
    price: int | None


class _Place(NamedTuple):
    """Whatever receipts are told apart by: they are summed once for all of it together, and for each of it later."""

    partner_id: str
    store_id: str
    tier: str | None
    day: date


# By version and partner, then by rule: how many receipts were given points, and how many points.
_Given: TypeAlias = dict[tuple[int, str], dict[str, list[int]]]


@dataclass(slots=True)
class Tally:
    """All sums. ``not_judged`` are receipts to which the draft could not be applied: they are in no other sum.

    What is counted of receipts is summed up in few places, and spread over the tables when they are asked for, or when
    the places are many.
    """

    draft: RuleSet
    prices: Prices
    zone: tzinfo
    caps: dict[tuple[str, str], CapBite] = field(default_factory=dict)
    not_judged: int = 0
    _total: Sums = field(default_factory=Sums)
    _partners: dict[str, Sums] = field(default_factory=dict)
    _tiers: dict[str | None, Sums] = field(default_factory=dict)
    _stores: dict[tuple[str, str], Sums] = field(default_factory=dict)
    _days: dict[date, Sums] = field(default_factory=dict)
    _rules: dict[RuleKey, RuleSums] = field(default_factory=dict)
    _places: dict[_Place, Sums] = field(default_factory=dict)
    _awarded: _Given = field(default_factory=dict)
    _drafted: _Given = field(default_factory=dict)
    _known: dict[int, dict[str, _Known]] = field(default_factory=dict)
    _priced: set[int] = field(default_factory=set)

    @property
    def total(self) -> Sums:
        """Of all receipts."""
        self._spread_places()
        return self._total

    @property
    def partners(self) -> dict[str, Sums]:
        """By partner."""
        self._spread_places()
        return self._partners

    @property
    def tiers(self) -> dict[str | None, Sums]:
        """By the member's tier at the receipt's time."""
        self._spread_places()
        return self._tiers

    @property
    def stores(self) -> dict[tuple[str, str], Sums]:
        """By partner and store."""
        self._spread_places()
        return self._stores

    @property
    def days(self) -> dict[date, Sums]:
        """By the programme's day."""
        self._spread_places()
        return self._days

    @property
    def rules(self) -> dict[RuleKey, RuleSums]:
        """By rule, whatever its version."""
        for side, given in (("awarded", self._awarded), ("drafted", self._drafted)):
            for (version, partner_id), by_rule in given.items():
                for rule_id, (receipts, points) in by_rule.items():
                    sums, cost = self._of_rule(version, partner_id, rule_id, points)
                    one: Side = getattr(sums, side)
                    one.receipts, one.points = one.receipts + receipts, one.points + points
                    one.cost_millionths += cost
            given.clear()
        return self._rules

    def count(self, judged: Judged) -> None:
        """Add a receipt."""
        receipt, points, applied = judged
        purchase, rule_set = receipt.purchase, receipt.rule_set
        partner_id = purchase.partner_id
        _give(_given_of(self._awarded, rule_set.version, partner_id), receipt.applied)
        by_rule = {rule_id: given for rule_id, _, given, _, _ in applied}
        _give(_given_of(self._drafted, self.draft.version, partner_id), by_rule)
        for rule_id, _, _, _, trims in applied:
            for trim in trims:
                bite = self.caps.get((rule_id, trim.cap), CapBite())
                taken = trim.from_points - trim.to_points
                self.caps[rule_id, trim.cap] = CapBite(bite.receipts + 1, bite.points + taken)
        sums = self._at(receipt)
        sums.receipts += 1
        sums.awarded.give(receipt.points, self._cost(partner_id, rule_set, receipt.points, receipt.applied))
        sums.drafted.give(points, self._cost(partner_id, self.draft, points, by_rule))

    def count_return(self, judged: JudgedReturn) -> None:
        """Take off what came back, where its receipt stands."""
        receipt = judged.receipt
        partner_id, rule_set = receipt.purchase.partner_id, receipt.rule_set
        sums, was, would = self._at(receipt), judged.awarded_points, judged.drafted_points
        sums.awarded.take(was, self._cost(partner_id, rule_set, was, judged.awarded_by_rule))
        sums.drafted.take(would, self._cost(partner_id, self.draft, would, judged.drafted_by_rule))
        for rule_id, points in judged.awarded_by_rule.items():
            of_rule, cost = self._of_rule(self._version(rule_set), partner_id, rule_id, points)
            of_rule.awarded.take(points, cost)
        for rule_id, points in judged.drafted_by_rule.items():
            of_rule, cost = self._of_rule(self._version(self.draft), partner_id, rule_id, points)
            of_rule.drafted.take(points, cost)

    def _at(self, receipt: AwardedReceipt) -> Sums:
        purchase = receipt.purchase
        day = day_on(purchase.occurred_at, self.zone)
        place = _Place(purchase.partner_id, purchase.store_id, receipt.tier, day)
        found = self._places.get(place)
        if found is None:
            if len(self._places) >= PLACES_MAX:
                self._spread_places()
            found = self._places[place] = Sums()
        return found

    def _spread_places(self) -> None:
        for (partner_id, store_id, tier, day), sums in self._places.items():
            self._total.add(sums)
            _of(self._partners, partner_id).add(sums)
            _of(self._tiers, tier).add(sums)
            _of(self._stores, (partner_id, store_id)).add(sums)
            _of(self._days, day).add(sums)
        self._places.clear()

    def _cost(self, partner_id: str, rule_set: RuleSet, points: int, by_rule: Mapping[str, int]) -> int:
        """What points cost: at the price that their rules say, else at the partner's."""
        price = self.prices.of(partner_id)
        cost = points * price
        if self._is_priced(rule_set):
            known = self._known[rule_set.version]
            for rule_id, given in by_rule.items():
                own_price = known[rule_id].price
                cost += 0 if own_price is None else (own_price - price) * given
        return cost

    def _of_rule(self, version: int, partner_id: str, rule_id: str, points: int) -> tuple[RuleSums, int]:
        """The sums of a rule, and what these points of it cost. Points of other types are no money."""
        key, name, own_price = self._known[version][rule_id]
        sums = self._rules.get(key)
        if sums is None:
            sums = self._rules[key] = RuleSums(name)
        if key.point_type is not None:
            return sums, 0
        return sums, points * (self.prices.of(partner_id) if own_price is None else own_price)

    def _is_priced(self, rule_set: RuleSet) -> bool:
        """Whether any rule of the version says a price; its rules are known then."""
        return self._version(rule_set) in self._priced

    def _version(self, rule_set: RuleSet) -> int:
        version = rule_set.version
        if version not in self._known:
            known = self._known[version] = {rule.id: _known(rule, rule_set) for rule in rule_set.rules}
            if any(one.price is not None for one in known.values()):
                self._priced.add(version)
        return version


def _given_of(given: _Given, version: int, partner_id: str) -> dict[str, list[int]]:
    found = given.get((version, partner_id))
    if found is None:
        found = given[version, partner_id] = {}
    return found


def _give(given: dict[str, list[int]], by_rule: Mapping[str, int]) -> None:
    """Add what the rules gave for a receipt."""
    for rule_id, points in by_rule.items():
        one = given.get(rule_id)
        if one is None:
            one = given[rule_id] = [0, 0]
        if points:
            one[0] += 1
            one[1] += points


def _known(rule: Rule, rule_set: RuleSet) -> _Known:
    funding = rule_set.terms_of(rule.id).funding
    return _Known(
        RuleKey(rule.id, rule.effect.point_type), rule.name, None if funding is None else funding.price_millionths
    )


def _of(sums: dict[K, Sums], key: K) -> Sums:
    found = sums.get(key)
    if found is None:
        found = sums[key] = Sums()
    return found
