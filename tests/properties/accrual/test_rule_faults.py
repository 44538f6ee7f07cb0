"""What is called impossible never happens: a rule that gives points to some receipt has no fault."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.accrual.domain.earning_facts import facts_of_zone
from services.accrual.domain.evaluation import evaluate_purchase
from services.accrual.domain.rule_faults import Known, find_faults
from services.accrual.domain.rules import RuleSet
from shared.events.purchases import PurchaseData
from tests.support.receipts import NOON, line, purchase

CATEGORIES = ["food", "fruit", "tobacco"]
PARTNERS = ["grocer", "fuel"]
CHANNELS = ["app", "web"]
SMALL = st.integers(0, 4).map(lambda number: number * 100)


def ranges(kind: str, least: str, most: str, values: st.SearchStrategy[int]) -> st.SearchStrategy[dict[str, Any]]:
    lines = st.none() | some_of(CATEGORIES).map(lambda named: {"kind": "category", "categories": named})
    bounds = st.one_of(
        st.fixed_dictionaries({least: values}),
        st.fixed_dictionaries({most: values}),
        st.tuples(values, values).map(lambda pair: {least: min(pair), most: max(pair)}),
    )
    return st.tuples(lines, bounds).map(lambda both: {"kind": kind, "lines": both[0], **both[1]})


def some_of(names: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)


DAYS = st.integers(0, 9).map(lambda days: date(2026, 11, 1) + timedelta(days=days))
LEAVES = st.one_of(
    some_of(PARTNERS).map(lambda named: {"kind": "partner", "partners": named}),
    some_of(PARTNERS).map(
        lambda named: {"kind": "store", "stores": [{"partner_id": each, "store_id": "s1"} for each in named]}
    ),
    some_of(CHANNELS).map(lambda named: {"kind": "channel", "channels": named}),
    ranges("amount", "at_least_minor", "at_most_minor", SMALL),
    ranges("quantity", "at_least_thousandths", "at_most_thousandths", SMALL.map(lambda number: number * 10)),
    ranges("basket_size", "at_least", "at_most", st.integers(1, 3)),
    st.lists(st.integers(1, 7), min_size=1, max_size=3, unique=True).map(
        lambda days: {"kind": "weekday", "weekdays": days, "zone": "programme"}
    ),
    st.tuples(st.integers(0, 23), st.integers(1, 23)).map(
        lambda hours: {
            "kind": "hours", "from_minute": hours[0] * 60, "until_minute": (hours[0] + hours[1]) % 24 * 60,
            "zone": "programme",
        }
    ),
    st.tuples(DAYS, DAYS).map(
        lambda days: {"kind": "dates", "from_date": min(days), "until_date": max(days), "zone": "programme"}
    ),
)  # fmt: skip
# Without choices, so that every contradiction is the whole rule's.
CONJUNCTIONS = st.lists(LEAVES | LEAVES.map(lambda leaf: {"kind": "not", "of": leaf}), min_size=1, max_size=4)


@st.composite
def purchases(draw: st.DrawFn) -> PurchaseData:
    lines = [
        line(number, draw(SMALL), draw(st.sampled_from(CATEGORIES)), draw(st.sampled_from([1_000, 2_000])))
        for number in range(1, draw(st.integers(1, 3)) + 1)
    ]
    at = NOON + timedelta(hours=draw(st.integers(0, 240)))
    bought = purchase(1, lines, partner_id=draw(st.sampled_from(PARTNERS)), occurred_at=at)
    return bought.data.model_copy(update={"channel": draw(st.none() | st.sampled_from(CHANNELS))})


@settings(max_examples=300)
@given(
    CONJUNCTIONS,
    purchases(),
    st.lists(st.sampled_from(CATEGORIES), max_size=2, unique=True),
    st.lists(st.sampled_from(PARTNERS), max_size=1),
)
def test_a_rule_that_gives_points_has_no_fault(
    when: list[dict[str, Any]], bought: PurchaseData, excluded: list[str], partners: list[str]
) -> None:
    rule = {
        "id": "base",
        "name": "Base",
        "condition": {"partners": partners, "when": {"kind": "all", "of": when}},
        "effect": {"kind": "points_per_amount", "points": 1, "step_minor": 100},
    }
    document = {"rules": [rule], "exclusions": {"categories": excluded}}
    rule_set = RuleSet.model_validate(document | {"version": 1, "effective_from": datetime(2020, 1, 1, tzinfo=UTC)})
    if evaluate_purchase(bought, rule_set, facts=facts_of_zone(UTC)).applied:
        assert find_faults(document, Known(earliest=date(2020, 1, 1))) == []
