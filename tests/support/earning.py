"""Draws rule sets and purchases for property tests of earning: all effects, roundings and a choice of predicates."""

from typing import Any

from hypothesis import strategies as st

from services.accrual.domain.rules import RuleSet
from shared.events.purchases import PurchaseData, PurchaseLine, Tender
from tests.support.receipts import line, purchase

CATEGORIES = ["GROCERY", "PRODUCE", "MEAT", "TOBACCO"]
_POINTS = st.integers(1, 50)
_CATEGORIES = st.lists(st.sampled_from(CATEGORIES), max_size=2, unique=True)
_LINE_TESTS = st.recursive(
    st.one_of(
        st.sampled_from(CATEGORIES).map(lambda category: {"kind": "category", "categories": [category]}),
        st.integers(1, 6).map(lambda number: {"kind": "article", "skus": [f"sku-{number}"]}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2).map(lambda of: {"kind": "all", "of": of}),
        st.lists(inner, min_size=1, max_size=2).map(lambda of: {"kind": "any", "of": of}),
        inner.map(lambda of: {"kind": "not", "of": of}),
    ),
    max_leaves=3,
)
_PREDICATES = st.recursive(
    st.one_of(
        _LINE_TESTS.map(lambda lines: {"kind": "contains", "lines": lines}),
        st.integers(0, 20_000).map(lambda amount: {"kind": "amount", "at_least_minor": amount}),
        st.integers(0, 20_000).map(lambda amount: {"kind": "amount", "at_most_minor": amount}),
        st.integers(0, 5_000).map(lambda units: {"kind": "quantity", "at_least_thousandths": units}),
        st.just({"kind": "tender", "tenders": ["points", "gift"]}),
        st.just({"kind": "weekday", "weekdays": [7], "zone": "programme"}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2).map(lambda of: {"kind": "all", "of": of}),
        st.lists(inner, min_size=1, max_size=2).map(lambda of: {"kind": "any", "of": of}),
        inner.map(lambda of: {"kind": "not", "of": of}),
    ),
    max_leaves=3,
)
# What gives the same however the goods are spread over lines.
_OF_THE_WHOLE = st.one_of(
    st.builds(
        lambda points, step: {"kind": "points_per_amount", "points": points, "step_minor": step},
        _POINTS,
        st.sampled_from([7, 100, 150]),
    ),
    st.builds(
        lambda points, step: {"kind": "points_per_quantity", "points": points, "step_thousandths": step},
        _POINTS,
        st.sampled_from([500, 1000]),
    ),
    st.integers(101, 500).map(lambda percent: {"kind": "multiplier", "percent": percent}),
    _POINTS.map(lambda points: {"kind": "fixed_points", "points": points}),
)
_BY_LINE = st.one_of(
    _OF_THE_WHOLE,
    st.builds(
        lambda points, step: {"kind": "points_per_full_step", "points": points, "step_minor": step},
        _POINTS,
        st.sampled_from([500, 1000]),
    ),
    _POINTS.map(lambda points: {"kind": "fixed_points", "points": points, "per": "line"}),
)
_ROUNDINGS = st.sampled_from(["floor", "half_up", "half_even", "ceiling"])


@st.composite
def rule_sets(draw: st.DrawFn, *, is_split_safe: bool = False, has_caps: bool = True) -> RuleSet:
    """Up to nine rules: fewer and more than those from which a plan is indexed.

    ``is_split_safe``: only what does not ask how the goods are spread over lines.
    """
    rules = [
        _rule(draw, number, is_split_safe=is_split_safe, has_caps=has_caps) for number in range(draw(st.integers(1, 9)))
    ]
    document: dict[str, Any] = {"version": 1, "effective_from": "2020-01-01T00:00:00Z", "rules": rules}
    document["exclusions"] = {"categories": draw(_CATEGORIES)}
    if has_caps and draw(st.booleans()):
        document["caps"] = [{"kind": "receipt", "points_max": draw(st.integers(1, 500))}]
    return RuleSet.model_validate(document)


def _rule(draw: st.DrawFn, number: int, *, is_split_safe: bool, has_caps: bool) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": f"r{number}",
        "name": f"Rule {number}",
        "effect": draw(_OF_THE_WHOLE if is_split_safe else _BY_LINE),
        "condition": {
            "categories": draw(_CATEGORIES),
            "lines": draw(st.none() | _LINE_TESTS),
            "when": draw(st.none() | _PREDICATES),
        },
        "rounding": draw(_ROUNDINGS),
    }
    if not is_split_safe:
        rule["rounding_per"] = draw(st.sampled_from(["receipt", "line"]))
    if has_caps and draw(st.booleans()):
        over = draw(st.sampled_from(["trim", "reject"]))
        rule["caps"] = [{"kind": "receipt", "points_max": draw(st.integers(1, 200)), "over": over}]
    return rule


@st.composite
def purchases(draw: st.DrawFn, *, has_tenders: bool = True) -> PurchaseData:
    """Up to six lines, paid with points, gift cards and cash in any shares."""
    lines: list[PurchaseLine] = [
        line(number, draw(st.integers(0, 20_000)), draw(st.sampled_from(CATEGORIES)), draw(st.integers(1, 3_000)))
        for number in range(1, draw(st.integers(1, 6)) + 1)
    ]
    left = sum(row.amount_minor for row in lines)
    tenders = []
    if has_tenders:
        for kind in ("points", "gift"):
            paid = draw(st.integers(0, left))
            tenders.append(Tender.model_validate({"kind": kind, "amount_minor": paid}))
            left -= paid
    return purchase(1, lines, tenders=[*tenders, Tender(kind="cash", amount_minor=left)]).data
