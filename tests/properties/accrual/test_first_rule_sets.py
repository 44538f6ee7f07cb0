"""Rule sets that were published by the first release are stored for ever, and give the same points, bit for bit."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.accrual.domain.evaluation import evaluate_purchase, evaluate_what_is_kept
from services.accrual.domain.rules import RuleSet
from shared.events.purchases import PurchaseData, Tender
from tests.support.first_rules import FirstLine, first_points
from tests.support.receipts import line, purchase

_CATEGORIES = ["GROCERY", "PRODUCE", "MEAT", "TOBACCO"]
_some = st.lists(st.sampled_from(_CATEGORIES), max_size=2, unique=True)
_effects = st.one_of(
    st.builds(
        lambda points, step: {"kind": "points_per_amount", "points": points, "step_minor": step},
        st.integers(1, 50),
        st.sampled_from([1, 7, 100, 150, 1000]),
    ),
    st.integers(101, 900).map(lambda percent: {"kind": "multiplier", "percent": percent}),
)
_rules = st.builds(
    lambda partners, categories, effect, rounding: {
        "name": "A rule",
        "condition": {"partners": partners, "categories": categories},
        "effect": effect,
        "rounding": rounding,
    },
    st.sampled_from([[], ["grocer"], ["fuel"], ["fuel", "grocer"]]),
    _some,
    _effects,
    st.sampled_from(["floor", "half_up"]),
)
_tenders = st.sampled_from([["points"], ["points", "gift"]])


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Up to nine rules: fewer and more than those from which a plan is indexed."""
    rules = draw(st.lists(_rules, min_size=1, max_size=9))
    return {
        "version": 1,
        "effective_from": "2020-01-01T00:00:00Z",
        "rules": [{"id": f"r{number}"} | rule for number, rule in enumerate(rules)],
        "exclusions": {"tenders": draw(_tenders), "categories": draw(_some)},
        "expires_after_days": None,
    }


@st.composite
def purchases(draw: st.DrawFn) -> PurchaseData:
    """Lines, paid with points, gift cards and cash in any shares."""
    lines = [
        line(number, draw(st.integers(0, 20_000)), draw(st.sampled_from(_CATEGORIES)), draw(st.integers(1, 3_000)))
        for number in range(1, draw(st.integers(1, 6)) + 1)
    ]
    left = sum(row.amount_minor for row in lines)
    tenders = []
    for kind in ("points", "gift"):
        paid = draw(st.integers(0, left))
        tenders.append(Tender.model_validate({"kind": kind, "amount_minor": paid}))
        left -= paid
    return purchase(1, lines, tenders=[*tenders, Tender(kind="cash", amount_minor=left)]).data


@given(documents(), purchases(), st.data())
def test_a_rule_set_of_the_first_release_gives_the_points_that_it_gave(
    document: dict[str, Any], bought: PurchaseData, data: st.DataObject
) -> None:
    rule_set = RuleSet.model_validate(document)
    returned = {row.line_id: data.draw(st.integers(0, row.quantity_thousandths)) for row in bought.lines}

    whole = evaluate_purchase(bought, rule_set)
    kept = evaluate_what_is_kept(bought, rule_set, returned)

    assert [(one.rule_id, one.points) for one in whole.applied] == _first(document, bought, {})
    assert [(one.rule_id, one.points) for one in kept.applied] == _first(document, bought, returned)
    assert whole.points == sum(one.points for one in whole.applied)


def _first(document: dict[str, Any], bought: PurchaseData, returned: dict[int, int]) -> list[tuple[str, int]]:
    lines = [
        FirstLine(
            row.amount_minor,
            row.quantity_thousandths - returned.get(row.line_id, 0),
            row.quantity_thousandths,
            (row.category or "",),
        )
        for row in bought.lines
    ]
    tenders = [(tender.kind, tender.amount_minor) for tender in bought.tenders]
    return first_points(document, bought.partner_id, lines, tenders)
