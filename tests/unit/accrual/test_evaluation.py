"""Earning, worked out by hand."""

import pytest
from pydantic import ValidationError

from services.accrual.domain.evaluation import Applied, NotMatched, evaluate_purchase
from services.accrual.domain.rules import (
    Condition,
    Exclusions,
    Multiplier,
    PointsPerAmount,
    Rule,
    RuleSetDraft,
)
from services.accrual.domain.trace import trace_in_words
from services.accrual.domain.undone_words import undone_in_words
from shared.events.purchases import Tender
from shared.money import share_out
from tests.support.receipts import RULES, changed_rules, line, purchase


def test_points_are_given_in_proportion_and_rounded_once_a_receipt() -> None:
    # 3.99 + 3.99 = 7.98: 7.98 points, rounded down once to 7 (and not 3 + 3)
    assert evaluate_purchase(purchase(1, [line(1, 399), line(2, 399)]).data, RULES).points == 7


def test_a_multiplier_adds_to_what_the_base_gave_on_its_lines() -> None:
    # base: 12.50 → 12; produce: the base on 2.50 again → 2.5, rounded down to 2
    evaluation = evaluate_purchase(purchase(1, [line(1, 1000), line(2, 250, "PRODUCE")]).data, RULES)

    assert [(rule.rule_id, rule.points) for rule in evaluation.applied] == [("base", 12), ("produce", 2)]
    assert evaluation.points == 14


def test_a_rule_of_another_partner_is_not_even_looked_at() -> None:
    evaluation = evaluate_purchase(purchase(1, 1000, partner_id="fuel").data, RULES)

    assert [outcome.rule_id for outcome in evaluation.outcomes] == ["fuel"]
    assert evaluation.points == 20


def test_a_rule_that_does_not_match_says_what_it_wanted_and_what_was_there() -> None:
    evaluation = evaluate_purchase(purchase(1, [line(1, 1000, "MEAT")]).data, RULES)

    assert evaluation.outcomes[1] == NotMatched("produce", "category", "PRODUCE", "MEAT")


def test_what_an_excluded_tender_paid_leaves_all_lines_in_proportion() -> None:
    # 10.01 paid with 3.34 points: a third leaves both lines, and 6.67 earn
    tenders = (Tender(kind="points", amount_minor=334), Tender(kind="card", amount_minor=667))
    evaluation = evaluate_purchase(purchase(1, [line(1, 501), line(2, 500, "PRODUCE")], tenders=tenders).data, RULES)

    assert evaluation.base.total_minor == 667
    assert evaluation.base.amounts_minor == (334, 333)
    assert [rule.points for rule in evaluation.applied] == [6, 3]


def test_excluded_categories_earn_nothing() -> None:
    rules = changed_rules(exclusions=Exclusions(categories=("TOBACCO",)))

    evaluation = evaluate_purchase(purchase(1, [line(1, 1000), line(2, 900, "TOBACCO")]).data, rules)

    assert evaluation.points == 10


def test_rounding_half_up() -> None:
    rule = Rule(id="half", name="Half up", effect=PointsPerAmount(points=1, step_minor=200), rounding="half_up")
    rules = changed_rules(rules=(rule,))

    assert evaluate_purchase(purchase(1, 300).data, rules).points == 2  # 1.5
    assert evaluate_purchase(purchase(1, 299).data, rules).points == 1  # 1.495


def test_a_receipt_of_nothing_earns_nothing() -> None:
    evaluation = evaluate_purchase(purchase(1, 0).data, RULES)

    assert evaluation.points == 0
    assert not any(isinstance(outcome, Applied) for outcome in evaluation.outcomes)


def test_the_trace_tells_the_arithmetic_in_words() -> None:
    evaluation = evaluate_purchase(purchase(1, [line(1, 1000), line(2, 250, "PRODUCE")]).data, RULES)

    assert trace_in_words(evaluation, RULES, "USD") == [
        "Judged by rule set 1.",
        "12.50 USD of the receipt earns.",
        "“One point a dollar”: 1 point for each 1.00 USD of 12.50 USD gives 12.5, rounded down to 12 points.",
        "“Double points on produce”: 200% on the matching lines adds 2.5, rounded down to 2 points.",
        "In all: 14 points.",
    ]


def test_one_point_is_no_points() -> None:
    evaluation = evaluate_purchase(purchase(1, [line(1, 100)]).data, RULES)

    words = trace_in_words(evaluation, RULES, "USD")

    assert words[2].endswith("gives 1, rounded down to 1 point.")
    assert words[-1] == "In all: 1 point."
    assert undone_in_words("void", 1, 0, 0) == [
        "The receipt was voided: all that was left of what it had earned, 1 point, was taken back."
    ]


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (10, [1, 1, 1], [4, 3, 3]),
        (1, [5, 5], [1, 0]),
        (7, [0, 3, 4], [0, 3, 4]),
        (5, [0, 0], [0, 0]),
        (0, [3, 4], [0, 0]),
    ],
)
def test_shares_are_whole_and_the_first_wins_among_equals(total: int, weights: list[int], parts: list[int]) -> None:
    assert share_out(total, weights) == parts


def test_a_rule_id_stands_once() -> None:
    rule = Rule(id="a", name="A", effect=PointsPerAmount(points=1, step_minor=100))

    with pytest.raises(ValidationError, match="stand twice: a"):
        RuleSetDraft(rules=(rule, rule))


def test_points_never_earn_points() -> None:
    rule = Rule(id="a", name="A", effect=PointsPerAmount(points=1, step_minor=100))

    with pytest.raises(ValidationError, match="must name 'points'"):
        RuleSetDraft(rules=(rule,), exclusions=Exclusions(tenders=("gift",)))


def test_steps_without_a_small_common_multiple_are_refused() -> None:
    steps = (9_999_991, 9_999_973, 9_999_971)  # primes
    rules = tuple(Rule(id=str(step), name="A", effect=PointsPerAmount(points=1, step_minor=step)) for step in steps)

    with pytest.raises(ValidationError, match="rounder step_minor"):
        RuleSetDraft(rules=rules)


def test_a_multiplier_needs_more_than_a_hundred_percent() -> None:
    with pytest.raises(ValidationError):
        Multiplier(percent=100)
    assert Condition() == Condition(partners=(), categories=())
