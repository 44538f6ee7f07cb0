"""A receipt that is moved between its returns gives and takes, over both members, what its goods had earned."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.accrual.domain.awarding_anew import FrozenAward, award_anew
from services.accrual.domain.category_mapping import UNMAPPED
from services.accrual.domain.earning_facts import facts_of_zone
from services.accrual.domain.evaluation import evaluate_purchase
from services.accrual.domain.returns import ClawBackPlan, plan_claw_back
from services.accrual.domain.rules import RuleSet
from shared.events.purchases import PurchaseData
from tests.support.accrual import PROGRAMME
from tests.support.earning import purchases, rule_sets
from tests.support.receipts import member, purchase, return_of


@given(rule_sets(), purchases(), st.data())
def test_what_came_back_before_and_after_a_move_is_taken_once(
    rules: RuleSet, bought: PurchaseData, data: st.DataObject
) -> None:
    facts = facts_of_zone(PROGRAMME.zone)
    awarded = evaluate_purchase(bought, rules, UNMAPPED, facts).points
    back = {row.line_id: data.draw(st.integers(0, row.quantity_thousandths)) for row in bought.lines}
    first = {line_id: quantity for line_id, quantity in back.items() if quantity}
    taken, returned = _returned(bought, rules, awarded, 0, {}, first) if first else (0, {})

    frozen = FrozenAward(b"k", member(1), bought, rules, UNMAPPED, facts, returned, date(2026, 11, 1))
    anew = award_anew(frozen, member(2), PROGRAMME.zone, None)

    # With the same facts it is worth the same: the other gets what was left, unless less had been given than is kept.
    assert anew.evaluation.points == awarded
    assert (anew.given_points, anew.taken_back) == (awarded - taken, taken)
    rest = {row.line_id: row.quantity_thousandths - back[row.line_id] for row in bought.lines}
    second = {line_id: quantity for line_id, quantity in rest.items() if quantity}
    if second:
        also, _ = _returned(bought, rules, anew.evaluation.points, anew.taken_back, returned, second)
        assert also == anew.given_points
    else:
        assert anew.given_points == 0


def _returned(
    bought: PurchaseData,
    rules: RuleSet,
    awarded: int,
    taken_back: int,
    before: dict[int, int],
    quantities: dict[int, int],
) -> tuple[int, dict[int, int]]:
    plan = plan_claw_back(
        bought,
        rules,
        awarded_points=awarded,
        taken_back_points=taken_back,
        returned_before=before,
        lines=return_of(purchase(1, list(bought.lines)), 2, quantities).data.lines,
        facts=facts_of_zone(PROGRAMME.zone),
    )
    assert isinstance(plan, ClawBackPlan)
    return plan.points, plan.returned_thousandths
