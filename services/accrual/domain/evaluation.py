"""Applies a rule set to a receipt. Every outcome is named; the trace is made where the decision is.

Points stay exact until a rule's rounding: whole numbers over the rule set's denominator, which is a multiple of every
step times 100. Integers are several times faster here than fractions, and just as exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from services.accrual.domain.earning_base import EarningBase, earning_base
from services.accrual.domain.rules import Multiplier, PointsPerAmount, Rule, RuleSet
from shared.events.purchases import PurchaseData


@dataclass(frozen=True, slots=True)
class Applied:
    """A rule that gave points: exactly ``exact / denominator``, rounded to ``points``, on ``amount_minor``."""

    rule_id: str
    exact: int
    points: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class NotMatched:
    """A rule that did not apply: which predicate failed, what it required and what was there."""

    rule_id: str
    predicate: str
    required: str
    observed: str


Outcome: TypeAlias = Applied | NotMatched


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a receipt earns under one version of the rules, and how that came about."""

    rule_set_version: int
    base: EarningBase
    outcomes: tuple[Outcome, ...]
    points: int

    @property
    def applied(self) -> tuple[Applied, ...]:
        """The rules that gave points, in the order in which they were applied."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Applied))


def evaluate_purchase(purchase: PurchaseData, rule_set: RuleSet) -> Evaluation:
    """Apply the rule set to one purchase, in its declared order.

    Pure: equal arguments give equal evaluations, so that a replay, a return and a backtest agree with the live
    decision.
    """
    return evaluate_base(earning_base(purchase, rule_set.exclusions), purchase.partner_id, rule_set)


def evaluate_base(base: EarningBase, partner_id: str, rule_set: RuleSet) -> Evaluation:
    """Apply the rules of this partner to a base that is already known."""
    denominator = rule_set.denominator
    exact_by_line = [0] * len(base.amounts_minor)
    outcomes: list[Outcome] = []
    points = 0
    for rule in rule_set.rules_for(partner_id):
        outcome = _apply(rule, base, exact_by_line, denominator)
        outcomes.append(outcome)
        if isinstance(outcome, Applied):
            points += outcome.points
    return Evaluation(rule_set.version, base, tuple(outcomes), points)


def _apply(rule: Rule, base: EarningBase, exact_by_line: list[int], denominator: int) -> Outcome:
    """One rule's outcome. A base rule adds what it gave to ``exact_by_line``, for the multipliers after it."""
    matching = _matching_lines(rule, base)
    if not matching:
        observed = ", ".join(sorted({category or "none" for category in base.categories}))
        return NotMatched(rule.id, "category", " or ".join(rule.condition.categories), observed)
    amount_minor = sum(base.amounts_minor[line] for line in matching)
    if amount_minor == 0:
        return NotMatched(rule.id, "eligible amount", "more than 0", "0")
    match rule.effect:
        case PointsPerAmount(points=points, step_minor=step_minor):
            per_minor = points * (denominator // step_minor)  # exact: the denominator is a multiple of every step
            for line in matching:
                exact_by_line[line] += base.amounts_minor[line] * per_minor
            exact = amount_minor * per_minor
        case Multiplier(percent=percent):
            # Exact: each line's base is a multiple of denominator / step, and so of 100.
            exact = sum(exact_by_line[line] for line in matching) * (percent - 100) // 100
            if exact == 0:
                return NotMatched(rule.id, "points to multiply", "more than 0", "0")
        case _:
            assert_never(rule.effect)
    return Applied(rule.id, exact, _rounded(exact, denominator, rule), amount_minor)


def _matching_lines(rule: Rule, base: EarningBase) -> Sequence[int]:
    categories = rule.condition.categories
    if not categories:
        return range(len(base.amounts_minor))
    return [line for line, category in enumerate(base.categories) if category in categories]


def _rounded(exact: int, denominator: int, rule: Rule) -> int:
    if rule.rounding == "half_up":
        return (2 * exact + denominator) // (2 * denominator)
    return exact // denominator
