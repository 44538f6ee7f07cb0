"""Returns of awards in parts: whatever comes back in whatever order, each part is taken back to its last point."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.accrual.domain.award_parts import (
    KnownPart,
    PartKey,
    TakenPart,
    after_return,
    earned_parts,
    points_kept,
    take_back,
)
from services.accrual.domain.evaluation import evaluate_purchase, evaluate_what_is_kept
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.rules.pending import Wait
from shared.ledger import LotTerms
from tests.support.receipts import NOON, RULES, line, purchase

DAY = date(2026, 11, 1)
# Every way in which a rule's points can be of their own: another type, another end, a wait, and a group whose best rule
# changes with what is kept.
DOCUMENT = {
    "version": 1,
    "effective_from": RULES.effective_from,
    "expires_after_days": 730,
    "groups": [{"id": "either", "choice": "best"}],
    "rules": [
        {"id": "base", "name": "b", "effect": {"kind": "points_per_amount", "points": 1, "step_minor": 100}},
        {
            "id": "status",
            "name": "s",
            "effect": {"kind": "points_per_amount", "point_type": "status", "points": 2, "step_minor": 100},
        },
        {
            "id": "produce",
            "name": "p",
            "condition": {"categories": ["PRODUCE"]},
            "effect": {"kind": "points_per_full_step", "points": 5, "step_minor": 700},
            "pending_days": 14,
        },
        {
            "id": "steps",
            "name": "g",
            "group": "either",
            "effect": {"kind": "points_per_full_step", "points": 40, "step_minor": 3_000},
            "expires_after_days": 30,
            "apply_in": "fixed",
        },
        {
            "id": "rate",
            "name": "r",
            "group": "either",
            "effect": {"kind": "points_per_amount", "points": 1, "step_minor": 150},
            "pending": {"kind": "event", "event": "delivered", "days_max": 30, "at_last": "lapse"},
            "apply_in": "fixed",
        },
    ],
}
RULE_SET = RuleSet.model_validate(DOCUMENT)

keys = st.builds(
    lambda kind, days, waits: PartKey(
        kind, LotTerms("grocer", DAY, DAY + timedelta(days=days)), Wait(DAY + timedelta(days=1)) if waits else None
    ),
    st.sampled_from([None, "status"]),
    st.integers(1, 3),
    st.booleans(),
)


@st.composite
def baskets(draw: st.DrawFn) -> tuple[dict[int, tuple[int, str]], list[tuple[int, int]]]:
    """Lines, and what comes back of them in some order: all of it in the end."""
    lines = {
        number + 1: (draw(st.integers(1, 9_000)), draw(st.sampled_from(["GROCERY", "PRODUCE"])))
        for number in range(draw(st.integers(1, 4)))
    }
    portions = []
    for line_id in lines:
        cuts = sorted({0, 1_000, *draw(st.lists(st.integers(1, 999), max_size=2))})
        portions += [(line_id, until - since) for since, until in pairwise(cuts)]
    return lines, draw(st.permutations(portions))


@given(baskets())
def test_returns_in_any_order_take_every_part_back_to_its_last_point(
    basket: tuple[dict[int, tuple[int, str]], list[tuple[int, int]]],
) -> None:
    lines, portions = basket
    bought = purchase(1, [line(line_id, *said) for line_id, said in lines.items()], occurred_at=NOON).data
    awarded = earned_parts(evaluate_purchase(bought, RULE_SET), DAY)
    parts = tuple(KnownPart(part.number, part.key, part.points, 0) for part in awarded)
    returned: dict[int, int] = {}
    for line_id, quantity in portions:
        returned[line_id] = returned.get(line_id, 0) + quantity
        kept = points_kept(evaluate_what_is_kept(bought, RULE_SET, returned), DAY)
        taken = take_back(parts, kept)
        parts = after_return(parts, taken)
        assert all(one.points > 0 for one in taken)
        assert all(0 <= part.taken_back <= part.points for part in parts)
        for kind in {part.key.point_type for part in parts}:  # nothing is given, and nothing more taken than was due
            left = sum(part.points - part.taken_back for part in parts if part.key.point_type == kind)
            assert left <= max(
                sum(part.points for part in parts if part.key.point_type == kind),
                sum(points for key, points in kept.items() if key.point_type == kind),
            )
    assert all(part.taken_back == part.points for part in parts)


@given(
    st.dictionaries(keys, st.tuples(st.integers(1, 50), st.integers(0, 50)), max_size=6),
    st.dictionaries(keys, st.integers(0, 60)),
)
def test_what_is_taken_is_what_a_type_has_lost_from_parts_that_have_become_less(
    stored: dict[PartKey, tuple[int, int]], kept: dict[PartKey, int]
) -> None:
    parts = tuple(
        KnownPart(number, key, points, min(points, before))
        for number, (key, (points, before)) in enumerate(stored.items())
    )
    taken = take_back(parts, kept)
    by_number = {part.number: part for part in parts}
    for kind in {part.key.point_type for part in parts}:
        left = sum(part.points - part.taken_back for part in parts if part.key.point_type == kind)
        due = left - sum(points for key, points in kept.items() if key.point_type == kind)
        assert sum(one.points for one in taken if one.point_type == kind) == max(0, due)
    for one in taken:
        part = by_number[one.number]
        assert one.points <= part.points - part.taken_back - kept.get(part.key, 0)


def test_a_part_that_has_become_more_lessens_what_is_taken_of_the_others() -> None:
    """The best of a group gave 100 that wait; after the return the other rule is the best, with 60 at once."""
    waits = PartKey(None, LotTerms("grocer", DAY, None), Wait(DAY + timedelta(days=14)))
    at_once = PartKey(None, LotTerms("grocer", DAY, DAY + timedelta(days=30)), None)
    parts = (KnownPart(0, waits, 100, 0),)

    first = take_back(parts, {at_once: 60})
    assert first == (TakenPart(0, None, 40),)
    assert take_back(after_return(parts, first), {}) == (TakenPart(0, None, 60),)


def test_points_of_one_type_never_pay_for_those_of_another() -> None:
    own = PartKey(None, LotTerms("grocer", DAY, None), None)
    status = PartKey("status", LotTerms("grocer", DAY, None), None)
    parts = (KnownPart(0, own, 10, 0), KnownPart(1, status, 10, 0))

    assert take_back(parts, {own: 25, status: 4}) == (TakenPart(1, "status", 6),)
