"""What holds of any rules and receipts: how goods lie on lines, rules are listed or returns cut changes nothing."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.accrual.domain.evaluation import Applied, Evaluation, evaluate_purchase
from services.accrual.domain.plans import PlannedRule, plan_for
from services.accrual.domain.returns import ClawBackPlan, plan_claw_back
from services.accrual.domain.rules import RuleSet
from shared.events.purchases import PurchaseData
from tests.support.earning import purchases, rule_sets
from tests.support.receipts import purchase, return_of

few = settings(max_examples=60)


@few
@given(rule_sets(is_split_safe=True, has_caps=False), purchases(has_tenders=False), st.data())
def test_a_line_that_is_split_in_two_earns_the_same(
    rule_set: RuleSet, bought: PurchaseData, data: st.DataObject
) -> None:
    whole = data.draw(st.sampled_from(bought.lines).filter(lambda line: line.quantity_thousandths > 1))
    amount = data.draw(st.integers(0, whole.amount_minor))
    quantity = data.draw(st.integers(1, whole.quantity_thousandths - 1))
    if not 0 < amount < whole.amount_minor:
        return  # a part for nothing is another sale: what costs nothing earns nothing by quantity
    parts = [
        whole.model_copy(update={"amount_minor": amount, "quantity_thousandths": quantity}),
        whole.model_copy(
            update={
                "line_id": 99,
                "amount_minor": whole.amount_minor - amount,
                "quantity_thousandths": whole.quantity_thousandths - quantity,
            }
        ),
    ]
    others = [line for line in bought.lines if line is not whole]
    split = bought.model_copy(update={"lines": (*others, *parts)})

    assert _by_rule(evaluate_purchase(split, rule_set)) == _by_rule(evaluate_purchase(bought, rule_set))


@few
@given(rule_sets(has_caps=False), purchases(), st.randoms(use_true_random=False))
def test_the_order_of_rules_that_know_nothing_of_each_other_does_not_matter(
    rule_set: RuleSet, bought: PurchaseData, chance: random.Random
) -> None:
    shuffled = list(rule_set.rules)
    chance.shuffle(shuffled)
    other = RuleSet.model_validate(rule_set.model_dump() | {"rules": shuffled})

    assert _by_rule(evaluate_purchase(bought, other)) == _by_rule(evaluate_purchase(bought, rule_set))


@few
@given(rule_sets(), purchases(), st.data())
def test_partial_returns_add_up_to_the_whole_award_whatever_the_rules(
    rule_set: RuleSet, bought: PurchaseData, data: st.DataObject
) -> None:
    awarded = evaluate_purchase(bought, rule_set).points
    left = {line.line_id: line.quantity_thousandths for line in bought.lines}
    taken, returned = 0, dict[int, int]()
    while any(left.values()):
        line_id = data.draw(st.sampled_from([one for one, quantity in left.items() if quantity]))
        quantity = data.draw(st.integers(1, left[line_id]) | st.just(left[line_id]))
        left[line_id] -= quantity
        plan = plan_claw_back(
            bought,
            rule_set,
            awarded_points=awarded,
            taken_back_points=taken,
            returned_before=returned,
            lines=return_of(purchase(1, list(bought.lines)), 2, {line_id: quantity}).data.lines,
        )
        assert isinstance(plan, ClawBackPlan)
        assert 0 <= plan.points <= awarded - taken
        taken, returned = taken + plan.points, plan.returned_thousandths
    assert taken == awarded


@few
@given(rule_sets(), purchases())
def test_finding_rules_by_their_categories_gives_what_looking_at_every_rule_gives(
    rule_set: RuleSet, bought: PurchaseData
) -> None:
    other = RuleSet.model_validate(rule_set.model_dump())
    plan_for(other, bought.partner_id).indexed = frozenset()

    found, looked_at = evaluate_purchase(bought, rule_set), evaluate_purchase(bought, other)

    assert found.applied == looked_at.applied
    assert found.outcomes == looked_at.outcomes


@few
@given(rule_sets(), purchases())
def test_what_is_summed_at_once_is_what_lines_add_up_to(rule_set: RuleSet, bought: PurchaseData) -> None:
    other = RuleSet.model_validate(rule_set.model_dump())
    plan = plan_for(other, bought.partner_id)
    plan.entries = tuple(_line_by_line(entry) for entry in plan.entries)

    summed, by_line = evaluate_purchase(bought, rule_set), evaluate_purchase(bought, other)

    assert (summed.applied, summed.lost, summed.points) == (by_line.applied, by_line.lost, by_line.points)
    assert summed.parts == by_line.parts


def _line_by_line(entry: PlannedRule) -> PlannedRule:
    """The same entry, whose rules are asked line by line what they give."""
    group = entry.group
    if group is not None:
        rules = tuple((rule, special._replace(per_minor=0, extra_percent=0)) for rule, special in group.rules)
        return entry._replace(group=group._replace(rules=rules))
    special = entry.special
    return entry._replace(special=None if special is None else special._replace(per_minor=0, extra_percent=0))


@few
@given(rule_sets(), purchases())
def test_every_rule_has_an_outcome_and_points_are_what_applied_rules_gave(
    rule_set: RuleSet, bought: PurchaseData
) -> None:
    evaluation = evaluate_purchase(bought, rule_set)

    outcomes = evaluation.outcomes
    assert sorted(one.rule_id for one in outcomes) == sorted(rule.id for rule in rule_set.rules)
    assert [one for one in outcomes if isinstance(one, Applied)] == list(evaluation.applied)
    assert evaluation.points == sum(one.points for one in evaluation.applied)
    assert all(0 <= one.points <= one.rounded for one in evaluation.applied)


def _by_rule(evaluation: Evaluation) -> dict[str, int]:
    return {one.rule_id: one.points for one in evaluation.applied}
