"""Applies a rule set to a receipt. Every outcome is named; the trace is made where the decision is.

Points stay exact until a rule's rounding: whole numbers over the rule set's denominator, which is a multiple of every
step times 100. Integers are several times faster here than fractions, and just as exact.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from services.accrual.domain.category_mapping import UNMAPPED, Categories
from services.accrual.domain.earning_base import EarningBase, earning_base
from services.accrual.domain.rules import PlannedRule, Rule, RuleSet
from shared.events.purchases import PurchaseData

Predicate: TypeAlias = Literal["category", "eligible amount", "points to multiply"]


class Applied(NamedTuple):
    """A rule that gave points: exactly ``exact / denominator``, rounded to ``points``, on ``amount_minor``."""

    rule_id: str
    exact: int
    points: int
    amount_minor: int


class NotMatched(NamedTuple):
    """A rule that did not apply: which predicate failed, what it required and what was there."""

    rule_id: str
    predicate: Predicate
    required: str
    observed: str


class _Failed(NamedTuple):
    """The same before anybody asks for words."""

    rule: Rule
    predicate: Predicate


Outcome: TypeAlias = Applied | NotMatched


class Evaluation(NamedTuple):
    """What a receipt earns under one version of the rules, and how that came about.

    ``applied`` are the rules that gave points, in the order in which they were applied.
    """

    rule_set_version: int
    base: EarningBase
    applied: tuple[Applied, ...]
    points: int
    steps: tuple[Applied | _Failed, ...]

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Every rule that could have given points, in the order in which they were tried, in words."""
        return tuple(step if isinstance(step, Applied) else _in_words(step, self.base) for step in self.steps)


def evaluate_purchase(purchase: PurchaseData, rule_set: RuleSet, categories: Categories = UNMAPPED) -> Evaluation:
    """Apply the rule set to one purchase, in its declared order.

    Pure: equal arguments give equal evaluations, so that a replay, a return and a backtest agree with the live
    decision.
    """
    return evaluate_base(earning_base(purchase, rule_set.exclusions, categories), purchase.partner_id, rule_set)


def evaluate_base(base: EarningBase, partner_id: str, rule_set: RuleSet) -> Evaluation:
    """Apply the rules of this partner to a base that is already known."""
    denominator = rule_set.denominator
    exact_by_line = [0] * len(base.amounts_minor)
    steps: list[Applied | _Failed] = []
    applied: list[Applied] = []
    points = 0
    for planned in rule_set.rules_for(partner_id):
        step = _apply(planned, base, exact_by_line, denominator)
        steps.append(step)
        if isinstance(step, Applied):
            applied.append(step)
            points += step.points
    return Evaluation(rule_set.version, base, tuple(applied), points, tuple(steps))


def _apply(planned: PlannedRule, base: EarningBase, exact_by_line: list[int], denominator: int) -> Applied | _Failed:
    """One rule's outcome. A base rule adds what it gave to ``exact_by_line``, for the multipliers after it."""
    rule, categories, per_minor, extra_percent = planned
    amounts = base.amounts_minor
    matching: Sequence[int] | None = None  # every line
    amount_minor = base.total_minor
    if categories:
        matching = [line for line, path in enumerate(base.categories) if not categories.isdisjoint(path)]
        if not matching:
            return _Failed(rule, "category")
        amount_minor = sum([amounts[line] for line in matching])
    if amount_minor == 0:
        return _Failed(rule, "eligible amount")
    if per_minor:
        for line in range(len(amounts)) if matching is None else matching:
            exact_by_line[line] += amounts[line] * per_minor
        exact = amount_minor * per_minor
    else:
        # Exact: each line's base is a multiple of denominator / step, and so of 100.
        given = exact_by_line if matching is None else [exact_by_line[line] for line in matching]
        exact = sum(given) * extra_percent // 100
        if exact == 0:
            return _Failed(rule, "points to multiply")
    return Applied(rule.id, exact, _rounded(exact, denominator, rule), amount_minor)


def _in_words(failed: _Failed, base: EarningBase) -> NotMatched:
    rule, predicate = failed
    if predicate == "category":
        observed = ", ".join(sorted({path[-1] if path else "none" for path in base.categories}))
        return NotMatched(rule.id, predicate, " or ".join(rule.condition.categories), observed)
    return NotMatched(rule.id, predicate, "more than 0", "0")


def _rounded(exact: int, denominator: int, rule: Rule) -> int:
    if rule.rounding == "half_up":
        return (2 * exact + denominator) // (2 * denominator)
    return exact // denominator
