"""What is told of a return beforehand: lines add up to it, and partial returns to the whole, by type and line."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.accrual.domain.asked_returns import LineAsked, TakenOfType, asked_return, taken_of_lines
from services.accrual.domain.deciding import decide_document
from services.accrual.domain.decisions import Awarded, ClawedBack, Document
from services.accrual.domain.line_by_line import decide_only, points_of_others, take_line_by_line
from services.accrual.domain.rules import RuleSet
from tests.support.pure_decisions import ANNA, facts_for
from tests.support.receipts import NOON, RULES, document, line, purchase

# Points of two types, points that wait, and steps that only several lines together reach.
RULE_SET = RuleSet.model_validate(
    {
        "version": 1,
        "effective_from": RULES.effective_from,
        "rules": [
            {"id": "base", "name": "b", "effect": {"kind": "points_per_amount", "points": 1, "step_minor": 100}},
            {
                "id": "status",
                "name": "s",
                "effect": {"kind": "points_per_full_step", "point_type": "status", "points": 7, "step_minor": 900},
            },
            {
                "id": "waits",
                "name": "w",
                "condition": {"categories": ["PRODUCE"]},
                "effect": {"kind": "points_per_full_step", "points": 5, "step_minor": 700},
                "pending_days": 14,
            },
        ],
    }
)


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(1, 3_000), st.sampled_from(["GROCERY", "PRODUCE"])),
        min_size=1,
        max_size=4,
    ),
    st.data(),
)
def test_lines_add_up_to_what_is_taken_and_partial_returns_to_the_whole(
    rows: list[tuple[int, int, str]], data: st.DataObject
) -> None:
    sale = purchase(
        1,
        [line(number, amount, what, pieces * 1_000) for number, (pieces, amount, what) in enumerate(rows, 1)],
        owner=ANNA,
    )
    facts = facts_for([sale], rule_set=RULE_SET)
    key = document(sale).natural_key
    awarded = decide_document(document(sale), facts)
    assert isinstance(awarded, Awarded)
    given_by_type: Counter[str] = Counter({"points": awarded.evaluation.points})
    for part in awarded.parts:
        if part.key.point_type is not None:
            given_by_type[part.key.point_type] += part.points
    pieces = data.draw(st.permutations([number for number, (count, *_) in enumerate(rows, 1) for _ in range(count)]))

    taken_by_type: Counter[str] = Counter()
    while pieces:
        together = data.draw(st.integers(1, len(pieces)))
        some, pieces = pieces[:together], pieces[together:]
        asked = [LineAsked(number, some.count(number) * 1_000) for number in dict.fromkeys(some)]
        returned = Document.of(asked_return(sale.data, key, asked, NOON), b"")
        decision = decide_only(returned, facts)
        assert isinstance(decision, ClawedBack)
        points = {"points": decision.points, **points_of_others(decision)}
        taken = [
            TakenOfType(point_type, each, 0, data.draw(st.integers(0, each))) for point_type, each in points.items()
        ]
        judged = take_line_by_line(returned, decision, facts)
        assert judged is not None
        for by_line in (judged, None):  # judged one by one, or too many for that
            told = taken_of_lines(taken, asked, "points", by_line, sale.data)
            assert all(0 <= one.lacking <= max(0, one.points) for one in told)
            for one in taken:
                of_type = [each for each in told if each.point_type == one.point_type]
                assert sum(each.points for each in of_type) == one.points
                assert sum(each.lacking for each in of_type) == one.lacking
        taken_by_type.update(points)
        decide_document(returned, facts)  # it is posted

    assert +taken_by_type == +given_by_type
