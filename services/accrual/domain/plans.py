"""Rules made ready to be applied to many receipts: once a published version and partner.

A plain rule is a few whole numbers. Whatever more it says stands in ``Special``: plain rules cost nothing for it.
Rules of certain categories are found by the categories of a receipt, so that most of a large rule set never runs.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, assert_never

from services.accrual.domain.capping import CapStep, cap_steps
from services.accrual.domain.checks import Check, CheckMaker
from services.accrual.domain.checks.check import all_of
from services.accrual.domain.checks.of_lines import categories_needed
from services.accrual.domain.exact_points import ExactByLine, exact_points_by_line
from services.accrual.domain.judged_receipt import JudgedReceipt, LineCheck
from services.accrual.domain.rules.effects import (
    FixedPoints,
    Multiplier,
    PointsPerAmount,
    PointsPerFullStep,
    PointsPerNumber,
    PointsPerQuantity,
    TierMultiplier,
)
from services.accrual.domain.rules.predicates_of_member import DatesAre
from services.accrual.domain.rules.rule import Phase, Rounding, Rule
from services.accrual.domain.rules.rule_set import RuleSet

# Below this it is faster to look at every rule than to find out which ones could match.
INDEXED_FROM = 6
# Partners' baskets meet few sets of categories that rules name; beyond these the candidates are found again each time.
CANDIDATES_KEPT_MAX = 1_024


class Special(NamedTuple):
    """What only some rules say. ``number`` is that of the rule's point type in the plan: 0 are the programme's own.

    What is given line by line has to be known of a base rule that multipliers of its type look at (``is_base``), and
    of what is rounded line by line. Of others the sum is enough: ``once`` is what a rule gives exactly, once a receipt,
    whatever its lines; ``per_minor`` and ``extra_percent`` are as those of plain rules. 0: it asks the lines.
    """

    check: Check | None
    lines: LineCheck | None
    exact_by_line: ExactByLine
    is_base: bool
    is_per_line: bool
    number: int
    once: int
    per_minor: int
    extra_percent: int


class PlannedRule(NamedTuple):
    """One rule. No ``categories``: every line; ``category`` where it is a single one.

    A plain base rule gives ``per_minor`` of the denominator's parts for each minor unit, which is exact, since the
    denominator is a multiple of every step; a multiplier adds ``extra_percent`` instead.
    """

    rule_id: str
    categories: frozenset[str]
    category: str | None
    per_minor: int
    extra_percent: int
    rounding: Rounding
    special: Special | None
    indexed_by: frozenset[str] | None
    rule: Rule
    group: "PlannedGroup | None" = None


class PlannedGroup(NamedTuple):
    """Rules of which one gives points, none of them plain; they stand where the first of them stands."""

    group_id: str
    is_best: bool
    rules: tuple[tuple[PlannedRule, Special], ...]


class Plan:
    """All rules of a partner, in order. An entry with a ``group`` stands for all rules of it."""

    def __init__(self, rule_set: RuleSet, rules: Sequence[PlannedRule], other_types: Sequence[str]) -> None:
        self.version, self.currency, self.denominator = rule_set.version, rule_set.currency, rule_set.denominator
        self.rules = tuple(rules)
        self.other_types = tuple(other_types)
        self.entries = tuple(_grouped(rule_set, rules))
        rule_ids = {rule.rule_id for rule in rules}
        steps = cap_steps(rule_set)
        self.cap_steps: tuple[CapStep, ...] = tuple(one for one in steps if not one.rule_ids.isdisjoint(rule_ids))
        own, by_rule = rule_set.own_terms, {one.rule_id: rule_set.terms_of(one.rule_id) for one in rules}
        self.has_parts = any(terms != own for terms in by_rule.values())
        # Numbers stand for terms, which take long to look up by: 0 are the programme's own.
        self.part_terms = tuple(dict.fromkeys((own, *by_rule.values())))
        self.part_number = {rule_id: self.part_terms.index(terms) for rule_id, terms in by_rule.items()}
        self.is_one_lot = not self.has_parts and rule_set.own_terms.pending is None
        self.of_other_types = frozenset(rule.rule_id for rule in rules if rule.rule.effect.point_type is not None)
        named = [entry.indexed_by for entry in self.entries if entry.indexed_by is not None]
        self.indexed = frozenset().union(*named) if len(self.entries) >= INDEXED_FROM else frozenset()
        self._candidates: dict[frozenset[str], tuple[PlannedRule, ...]] = {}

    def candidates(self, receipt: JudgedReceipt) -> Sequence[PlannedRule]:
        """The entries that could give points on lines of these categories, in order (unindexed: ``entries``).

        The receipt learns which lines are of which of the categories that rules name.
        """
        indexed = self.indexed
        lines_of: dict[str, list[int]] = {}
        for number, path in enumerate(receipt.base.categories):
            for category in path:
                if category in indexed:
                    lines = lines_of.get(category)
                    if lines is None:
                        lines_of[category] = [number]
                    elif lines[-1] != number:
                        lines.append(number)
        receipt.lines_of = lines_of
        hit = frozenset(lines_of)
        found = self._candidates.get(hit)
        if found is None:
            found = tuple(
                entry for entry in self.entries if entry.indexed_by is None or not entry.indexed_by.isdisjoint(hit)
            )
            if len(self._candidates) < CANDIDATES_KEPT_MAX:
                self._candidates[hit] = found
        return found


def plan_for(rule_set: RuleSet, partner_id: str) -> Plan:
    """The plan of this partner; made once."""
    plans: dict[str, Plan] = rule_set.plans
    found = plans.get(partner_id)
    if found is None:
        found = plans[partner_id] = _plan(rule_set, partner_id)
    return found


def matching_lines(planned: PlannedRule, receipt: JudgedReceipt) -> Sequence[int]:
    """The lines that a rule gives points on, as far as they earn."""
    lines: Sequence[int] = range(len(receipt.base.amounts_minor))
    if planned.special is not None and planned.special.lines is not None:
        lines = receipt.matching(planned.special.lines)
    elif receipt.lines_of is not None and planned.category is not None:
        return receipt.lines_of.get(planned.category, ())
    if planned.categories:
        paths, categories = receipt.base.categories, planned.categories
        lines = [line for line in lines if not categories.isdisjoint(paths[line])]
    return lines


def _plan(rule_set: RuleSet, partner_id: str) -> Plan:
    rules = [rule for rule in rule_set.in_order if not rule.condition.partners or partner_id in rule.condition.partners]
    other_types = list(dict.fromkeys(named for rule in rules if (named := rule.effect.point_type) is not None))
    maker = CheckMaker()
    numbers: dict[str | None, int] = {None: 0} | {named: number for number, named in enumerate(other_types, start=1)}
    multiplied = {rule.effect.point_type for rule in rules if rule.phase is Phase.MULTIPLIER}
    planned = [
        _planned(rule, rule_set, numbers[rule.effect.point_type], maker, is_fed=rule.effect.point_type in multiplied)
        for rule in rules
    ]
    return Plan(rule_set, planned, other_types)


def _planned(rule: Rule, rule_set: RuleSet, number: int, maker: CheckMaker, *, is_fed: bool) -> PlannedRule:
    """``is_fed``: multipliers look at what base rules of this type have given, line by line."""
    categories = frozenset(rule.condition.categories)
    denominator = rule_set.denominator
    per_minor = extra_percent = 0
    match rule.effect:
        case PointsPerAmount(points=points, step_minor=step_minor):
            per_minor = points * (denominator // step_minor)
        case Multiplier(percent=percent):
            extra_percent = percent - 100
        case PointsPerFullStep() | PointsPerQuantity() | FixedPoints() | PointsPerNumber() | TierMultiplier():
            pass
        case _:
            assert_never(rule.effect)
    check = _check(rule, rule_set, maker)
    lines = maker.lines(rule.condition.lines)
    is_plain = (
        check is None
        and lines is None
        and rule.group is None
        and number == 0
        and rule.rounding_per == "receipt"
        and rule.apply_in != "fixed"
        and bool(per_minor or extra_percent)
    )
    special = None
    if not is_plain:
        exact_by_line = exact_points_by_line(rule, denominator, rule_set.counted, per_minor, extra_percent)
        is_base = rule.phase is Phase.BASE and is_fed
        is_per_line = rule.rounding_per == "line"
        is_summed = not is_base and not is_per_line
        once = (
            rule.effect.points * denominator
            if isinstance(rule.effect, FixedPoints) and rule.effect.per == "receipt"
            else 0
        )
        sums = (per_minor, extra_percent) if is_summed else (0, 0)
        special = Special(check, lines, exact_by_line, is_base, is_per_line, number, once, *sums)
    indexed_by = categories or categories_needed(rule.condition.lines)
    category = next(iter(categories)) if len(categories) == 1 else None
    return PlannedRule(
        rule.id, categories, category, per_minor, extra_percent, rule.rounding, special, indexed_by, rule
    )


def _check(rule: Rule, rule_set: RuleSet, maker: CheckMaker) -> Check | None:
    """What must be true of the receipt; the dates of the rule's campaign come first."""
    checks = []
    for campaign in rule_set.campaigns:
        if campaign.id == rule.campaign:
            dates = DatesAre(from_date=campaign.from_date, until_date=campaign.until_date, zone=campaign.zone)
            checks.append(maker.receipt(dates))
    if rule.condition.when is not None:
        checks.append(maker.receipt(rule.condition.when))
    if not checks:
        return None
    return checks[0] if len(checks) == 1 else all_of(tuple(checks))


def _grouped(rule_set: RuleSet, rules: Iterable[PlannedRule]) -> Iterable[PlannedRule]:
    """The rules as they are applied: those of a group together, where the first of them stands."""
    members: dict[str, list[PlannedRule]] = {}
    for planned in rules:
        if planned.rule.group is not None:
            members.setdefault(planned.rule.group, []).append(planned)
    is_best = {group.id: group.choice == "best" for group in rule_set.groups}
    for planned in rules:
        group = planned.rule.group
        if group is None:
            yield planned
        elif planned is members[group][0]:
            together = PlannedGroup(
                group, is_best[group], tuple((one, one.special) for one in members[group] if one.special is not None)
            )
            named = [one.indexed_by for one in members[group]]
            known = [one for one in named if one is not None]
            indexed_by = frozenset[str]().union(*known) if len(known) == len(named) else None
            yield planned._replace(group=together, indexed_by=indexed_by)
