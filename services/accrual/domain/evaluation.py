"""Applies a rule set to a receipt: base rules, multipliers, fixed points, then caps.

Points stay exact until a rule's rounding: whole numbers over the rule set's denominator, which is a multiple of every
step times 100. Integers are several times faster here than fractions, and just as exact. Only what gives points is
kept; why the others gave none is found out when somebody asks (``explanation``).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from services.accrual.domain.capping import apply_caps
from services.accrual.domain.category_mapping import UNMAPPED, Categories
from services.accrual.domain.earning_base import EarningBase, base_after_returns, earning_base
from services.accrual.domain.earning_facts import NO_FACTS, EarningFacts
from services.accrual.domain.explanation import explain
from services.accrual.domain.judged_receipt import JudgedReceipt
from services.accrual.domain.outcomes import Applied, Lost, NotMatched, Outcome, Part, Usage
from services.accrual.domain.plans import PlannedGroup, PlannedRule, Special, matching_lines, plan_for
from services.accrual.domain.rounding import rounded
from services.accrual.domain.rules.rule_set import RuleSet
from services.accrual.domain.rules.terms import PartTerms
from services.accrual.domain.sellers import given_by_seller, has_sellers
from shared.events.purchases import PurchaseData

__all__ = [
    "Applied",
    "Evaluation",
    "Lost",
    "NotMatched",
    "Outcome",
    "evaluate",
    "evaluate_purchase",
    "evaluate_what_is_kept",
]

_NOTHING: Mapping[int, int] = {}
# A rule that gives points: the outcome, the lines that it gives them on, and how much on each, exactly.
_Given: TypeAlias = tuple[Applied, Sequence[int], Sequence[int]]


class Evaluation(NamedTuple):
    """What a receipt earns under one version of the rules, and how that came about.

    ``applied`` are the rules that gave points, in the order in which they were applied; ``points`` are the programme's
    own in all. ``usage`` is what is to be counted against caps and budgets.
    """

    rule_set_version: int
    base: EarningBase
    applied: tuple[Applied, ...]
    points: int
    receipt: JudgedReceipt
    rule_set: RuleSet
    lost: tuple[Lost, ...] = ()
    usage: tuple[Usage, ...] = ()

    @property
    def facts(self) -> EarningFacts:
        """The facts that the receipt was judged by."""
        return self.receipt.facts

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Every rule that could have given points, in the order in which they were tried, in words."""
        return explain(self.applied, self.lost, self.receipt, self.rule_set)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The points by type and terms, those of the programme's own terms first. Parts without points are left out."""
        purchase = self.receipt.purchase
        plan = plan_for(self.rule_set, purchase.partner_id)
        if has_sellers(purchase):
            by_terms: dict[PartTerms, list[tuple[str, int]]] = {self.rule_set.own_terms: []}
            for terms, rule_id, points in given_by_seller(self.applied, self.receipt, self.rule_set, plan):
                by_terms.setdefault(terms, []).append((rule_id, points))
        else:
            numbers = plan.part_number
            by_number: dict[int, list[tuple[str, int]]] = {0: []}
            for one in self.applied:
                by_number.setdefault(numbers[one.rule_id], []).append((one.rule_id, one.points))
            by_terms = {plan.part_terms[number]: gave for number, gave in by_number.items()}
        parts = [Part(terms, sum([points for _, points in gave]), tuple(gave)) for terms, gave in by_terms.items()]
        return tuple([part for part in parts if part.points])

    def points_of(self, point_type: str | None) -> int:
        """The points of one type in all; None: the programme's own."""
        if point_type is None:
            return self.points
        return sum([part.points for part in self.parts if part.point_type == point_type])

    @property
    def is_one_lot(self) -> bool:
        """Whether all that this partner's receipts can earn goes to one lot at once, as nearly all do."""
        purchase = self.receipt.purchase
        return plan_for(self.rule_set, purchase.partner_id).is_one_lot and not has_sellers(purchase)


def evaluate_purchase(
    purchase: PurchaseData, rule_set: RuleSet, categories: Categories = UNMAPPED, facts: EarningFacts = NO_FACTS
) -> Evaluation:
    """Apply the rule set to one purchase, in its declared order.

    Pure: equal arguments give equal evaluations, so that a replay, a return and a backtest agree with the live
    decision.

    Raises:
        MissingFactError: a rule needs a fact that was not handed in.
    """
    base = earning_base(purchase, rule_set.exclusions, categories, rule_set.counted)
    return evaluate(JudgedReceipt(purchase, base, facts, _NOTHING), rule_set)


def evaluate_what_is_kept(
    purchase: PurchaseData,
    rule_set: RuleSet,
    returned_thousandths: Mapping[int, int],
    categories: Categories = UNMAPPED,
    facts: EarningFacts = NO_FACTS,
) -> Evaluation:
    """The same for what was kept, by the facts of the purchase: thresholds are judged again within the receipt."""
    base = base_after_returns(purchase, rule_set.exclusions, returned_thousandths, categories, rule_set.counted)
    return evaluate(JudgedReceipt(purchase, base, facts, returned_thousandths), rule_set)


def evaluate(receipt: JudgedReceipt, rule_set: RuleSet) -> Evaluation:
    """Apply the rule set to what is judged, whatever it is."""
    base, purchase = receipt.base, receipt.purchase
    plan = plan_for(rule_set, purchase.partner_id)
    if plan.currency is not None and purchase.currency != plan.currency:
        return Evaluation(rule_set.version, base, (), 0, receipt, rule_set)
    denominator = plan.denominator
    given = [0] * len(base.amounts_minor)
    by_type = [given, *([0] * len(given) for _ in plan.other_types)] if plan.other_types else [given]
    applied: list[Applied] = []
    lost: list[Lost] = []
    points = 0
    for planned in plan.candidates(receipt) if plan.indexed else plan.entries:
        if planned.special is None:
            one = _apply_plain(planned, receipt, given, denominator)
        elif planned.group is None:
            one = _apply_special(planned, planned.special, receipt, by_type, denominator)
        else:
            one = _apply_group(planned.group, receipt, by_type, denominator, lost)
        if one is not None:
            applied.append(one)
            points += one.points
    usage: tuple[Usage, ...] = ()
    if plan.cap_steps and applied:
        applied, usage = apply_caps(applied, plan.cap_steps, receipt.facts)
    if plan.cap_steps or plan.other_types:  # else all that was given is the programme's own
        others = plan.of_other_types
        points = sum([one.points for one in applied if one.rule_id not in others])
    return Evaluation(plan.version, base, tuple(applied), points, receipt, rule_set, tuple(lost), usage)


def _apply_plain(planned: PlannedRule, receipt: JudgedReceipt, given: list[int], denominator: int) -> Applied | None:
    """One plain rule's outcome. A base rule adds what it gave to ``given``, for the multipliers after it."""
    rule_id, categories, category, per_minor, extra_percent, rounding, _, _, _, _ = planned
    base, lines_of = receipt.base, receipt.lines_of
    amounts = base.amounts_minor
    lines: Sequence[int] | None = None  # every line
    amount_minor = base.total_minor
    if categories:
        if lines_of is not None and category is not None:
            lines = lines_of.get(category)
        else:
            lines = [line for line, path in enumerate(base.categories) if not categories.isdisjoint(path)]
        if not lines:
            return None
        amount_minor = _on(lines, amounts)
    if amount_minor == 0:
        return None
    if per_minor:
        if lines is None:
            for number, amount in enumerate(amounts):
                given[number] += amount * per_minor
        else:
            for line in lines:
                given[line] += amounts[line] * per_minor
        exact = amount_minor * per_minor
    else:
        # Exact: each line's base is a multiple of denominator / step, and so of 100.
        exact = (sum(given) if lines is None else _on(lines, given)) * extra_percent // 100
        if exact == 0:
            return None
    points = exact // denominator if rounding == "floor" else rounded(exact, denominator, rounding)
    return Applied(rule_id, exact, points, amount_minor, ())


def _on(lines: Sequence[int], by_line: Sequence[int]) -> int:
    """The sum on these lines; most categories are of one, for which no list need be made."""
    return by_line[lines[0]] if len(lines) == 1 else sum([by_line[line] for line in lines])


def _apply_special(
    planned: PlannedRule, special: Special, receipt: JudgedReceipt, by_type: Sequence[list[int]], denominator: int
) -> Applied | None:
    found = _give(planned, special, receipt, by_type, denominator)
    if found is None:
        return None
    if special.is_base:
        applied, lines, exact_by_line = found
        _add(by_type[special.number], lines, exact_by_line)
        return applied
    return found[0]


def _apply_group(
    group: PlannedGroup, receipt: JudgedReceipt, by_type: Sequence[list[int]], denominator: int, lost: list[Lost]
) -> Applied | None:
    """The outcome of the rule that wins its group, the first among equals; the others are noted as lost."""
    best: _Given | None = None
    of_best: Special | None = None
    tried: list[Applied] = []
    for planned, special in group.rules:
        found = _give(planned, special, receipt, by_type, denominator)
        if found is None or not (group.is_best or found[0].points):
            continue
        tried.append(found[0])
        if best is None or found[0].points > best[0].points:
            best, of_best = found, special
        if not group.is_best:
            break
    if best is None or of_best is None:
        return None
    applied, lines, exact_by_line = best
    if len(tried) > 1:
        group_id, winner_id = group.group_id, applied.rule_id
        lost += [Lost(one.rule_id, group_id, winner_id, one.points) for one in tried if one is not applied]
    if of_best.is_base:
        _add(by_type[of_best.number], lines, exact_by_line)
    return applied


def _give(
    planned: PlannedRule, special: Special, receipt: JudgedReceipt, by_type: Sequence[list[int]], denominator: int
) -> _Given | None:
    """What a rule would give, before anything is added to the base."""
    check, line_check, _, _, _, number, once, per_minor, extra_percent = special
    if check is not None and not check.holds(receipt):
        return None
    base = receipt.base
    lines: Sequence[int] | None = None  # every line
    amount_minor = base.total_minor
    if line_check is not None or planned.categories:
        lines = matching_lines(planned, receipt)
        amount_minor = _on(lines, base.amounts_minor)
    if amount_minor == 0:
        return None
    if once:
        return Applied(planned.rule_id, once, once // denominator, amount_minor, ()), (), ()
    if extra_percent:
        given = by_type[number]
        # Exact: each line's base is a multiple of denominator / step, and so of 100.
        exact = (sum(given) if lines is None else _on(lines, given)) * extra_percent // 100
    elif per_minor:
        exact = amount_minor * per_minor
    else:
        every = range(len(base.amounts_minor)) if lines is None else lines
        return _give_by_line(planned, special, receipt, by_type, denominator, every, amount_minor)
    if exact == 0:
        return None
    rounding = planned.rounding
    points = exact // denominator if rounding == "floor" else rounded(exact, denominator, rounding)
    return Applied(planned.rule_id, exact, points, amount_minor, ()), (), ()


def _give_by_line(
    planned: PlannedRule,
    special: Special,
    receipt: JudgedReceipt,
    by_type: Sequence[list[int]],
    denominator: int,
    lines: Sequence[int],
    amount_minor: int,
) -> _Given | None:
    exact_by_line = special.exact_by_line(receipt, lines, by_type[special.number])
    exact = sum(exact_by_line)
    if exact == 0:
        return None
    if special.is_per_line:
        points = sum([rounded(one, denominator, planned.rounding) for one in exact_by_line])
    else:
        points = rounded(exact, denominator, planned.rounding)
    return Applied(planned.rule_id, exact, points, amount_minor, ()), lines, exact_by_line


def _add(given: list[int], lines: Sequence[int], exact_by_line: Sequence[int]) -> None:
    for line, exact in zip(lines, exact_by_line, strict=True):
        given[line] += exact
