"""What a return takes back: what the purchase gave, less what it would have given without the returned goods.

Judged by the version that awarded the purchase. Because each return is measured against everything returned so far,
partial returns add up to the whole award, to the last point, whatever their number and order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.accrual.domain.category_mapping import UNMAPPED, Categories
from services.accrual.domain.earning_facts import NO_FACTS, EarningFacts
from services.accrual.domain.evaluation import Evaluation, evaluate_what_is_kept
from services.accrual.domain.rules import RuleSet
from shared.events.purchases import PurchaseData, ReturnLine


@dataclass(frozen=True, slots=True)
class ClawBackPlan:
    """``points`` to take back, and every quantity returned so far, this return included.

    ``before`` and ``after`` are what was kept until then, and what is kept now.
    """

    points: int
    returned_thousandths: dict[int, int]
    before: Evaluation
    after: Evaluation


@dataclass(frozen=True, slots=True)
class RefusedReturn:
    """A return that cannot be: the reason code and the words."""

    reason: str
    detail: str


def plan_claw_back(
    purchase: PurchaseData,
    rule_set: RuleSet,
    *,
    awarded_points: int,
    taken_back_points: int,
    returned_before: dict[int, int],
    lines: Iterable[ReturnLine],
    categories: Categories = UNMAPPED,
    facts: EarningFacts = NO_FACTS,
) -> ClawBackPlan | RefusedReturn:
    """The claw-back for one return of ``purchase``; ``returned_before`` are quantities by original line id, ``facts``
    those by which the purchase was judged.
    """
    returned = add_returned(purchase, returned_before, lines)
    if isinstance(returned, RefusedReturn):
        return returned
    kept = evaluate_what_is_kept(purchase, rule_set, returned, categories, facts)
    points = max(0, awarded_points - taken_back_points - kept.points)
    before = evaluate_what_is_kept(purchase, rule_set, returned_before, categories, facts)
    return ClawBackPlan(points, returned, before, kept)


def add_returned(
    purchase: PurchaseData, returned_before: Mapping[int, int], lines: Iterable[ReturnLine]
) -> dict[int, int] | RefusedReturn:
    """The quantities of a purchase that have come back in all, in thousandths by line, these lines included."""
    bought = {line.line_id: line.quantity_thousandths for line in purchase.lines}
    returned = dict(returned_before)
    for line in lines:
        if line.original_line_id not in bought:
            return RefusedReturn("unknown_line", f"the purchase has no line {line.original_line_id}")
        total = returned.get(line.original_line_id, 0) + line.quantity_thousandths
        if total > bought[line.original_line_id]:
            return RefusedReturn(
                "returned_more_than_bought",
                f"line {line.original_line_id}: {total} thousandths returned in all,"
                f" {bought[line.original_line_id]} bought",
            )
        returned[line.original_line_id] = total
    return returned
