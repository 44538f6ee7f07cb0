"""What a return that names no purchase takes: what its goods give everybody, and never more than they gave."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accrual.domain.category_mapping import UNMAPPED
from services.accrual.domain.evaluation import evaluate_purchase
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.unlinked_returns import judge_goods
from shared.events.purchases import PurchaseLine, ReturnData, Tender
from tests.support.receipts import changed_rules, line, purchase, unlinked_return

DOLLAR = {"kind": "points_per_amount", "points": 1, "step_minor": 100}
FIVE = {"kind": "points_per_full_step", "points": 5, "step_minor": 500}
GOLD = {"kind": "tier", "tiers": ["gold"]}


def rule(rule_id: str, effect: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": rule_id, "name": rule_id, "effect": effect} | more


def rules(*said: dict[str, Any], **more: Any) -> RuleSet:
    return changed_rules(rules=list(said), **more)


def taken(rule_set: RuleSet, *lines: PurchaseLine, tenders: Sequence[Tender] = ()) -> int:
    """What goods take that come back without their purchase."""
    data = unlinked_return(1, lines).data
    judged = judge_goods(ReturnData.model_validate(data.model_dump() | {"tenders": tenders}), rule_set, UNMAPPED)
    return 0 if judged is None else judged.points


CASES: dict[str, tuple[int, int]] = {
    "a rate: 19.99 dollars give 19": (taken(rules(rule("a", DOLLAR)), line(1, 1999)), 19),
    "rounded down, whatever the rule says": (taken(rules(rule("a", DOLLAR, rounding="ceiling")), line(1, 1999)), 19),
    "full steps: 3 x 5.00 of 19.99 give 15": (taken(rules(rule("a", FIVE)), line(1, 1999)), 15),
    "lines of its categories: 10.00 of 30.00": (
        taken(
            rules(rule("a", DOLLAR, condition={"categories": ["BOOKS"]})), line(1, 1000, "BOOKS"), line(2, 2000, "TOYS")
        ),
        10,
    ),
    "the partner may stand in the condition": (
        taken(rules(rule("a", DOLLAR, condition={"when": {"kind": "partner", "partners": ["grocer"]}})), line(1, 1000)),
        10,
    ),
    "what asks for a tier gave not everybody anything": (
        taken(rules(rule("a", DOLLAR), rule("b", DOLLAR, condition={"when": GOLD})), line(1, 1000)),
        10,
    ),
    "of a group whoever asks for nothing": (
        taken(
            rules(
                rule("a", DOLLAR | {"points": 3}, condition={"when": GOLD}, group="g"),
                rule("b", DOLLAR, group="g"),
                groups=[{"id": "g", "choice": "best"}],
            ),
            line(1, 1000),
        ),
        10,
    ),
    "neither multipliers nor fixed points": (
        taken(
            rules(
                rule("a", DOLLAR),
                rule("b", {"kind": "multiplier", "percent": 300}),
                rule("c", {"kind": "fixed_points", "points": 50}),
            ),
            line(1, 1000),
        ),
        10,
    ),
    "nor points of another type": (
        taken(rules(rule("a", DOLLAR), rule("b", DOLLAR | {"point_type": "status"})), line(1, 1000)),
        10,
    ),
    "where no rule speaks of goods alone nothing": (
        taken(rules(rule("a", DOLLAR, condition={"when": GOLD})), line(1, 1000)),
        0,
    ),
    "a receipt gave no more than its cap": (
        taken(rules(rule("a", DOLLAR), caps=[{"kind": "receipt", "points_max": 7}]), line(1, 1000)),
        7,
    ),
    "what had been used of a member's cap nobody knows": (
        taken(
            rules(rule("a", DOLLAR, caps=[{"kind": "member", "points_max": 7, "window": {"kind": "ever"}}])),
            line(1, 1000),
        ),
        10,
    ),
    "a quarter given back as points never earned: 7.50": (
        taken(
            rules(rule("a", DOLLAR)),
            line(1, 1000),
            tenders=[Tender(kind="points", amount_minor=250), Tender(kind="card", amount_minor=750)],
        ),
        7,
    ),
    "money back for what was never handed over takes nothing": (
        taken(rules(rule("a", DOLLAR)), line(1, 1000, settlement="prepayment")),
        0,
    ),
}


@pytest.mark.parametrize(("found", "worked_out"), CASES.values(), ids=CASES.keys())
def test_goods_take_what_was_worked_out_by_hand(found: int, worked_out: int) -> None:
    assert found == worked_out


@given(
    lines=st.lists(st.integers(1, 5_000), min_size=1, max_size=5),
    effect=st.sampled_from([DOLLAR | {"points": 7}, FIVE, DOLLAR | {"step_minor": 300}]),
    rounding=st.sampled_from(["floor", "half_up", "ceiling"]),
    cut=st.randoms(use_true_random=False),
)
def test_piece_by_piece_they_never_take_more_than_the_sale_gave(
    lines: list[int], effect: dict[str, Any], rounding: str, cut: Any
) -> None:
    bonus = rule("bonus", {"kind": "multiplier", "percent": 200})
    rule_set = rules(rule("a", effect, rounding=rounding), bonus)
    goods = [line(number, amount) for number, amount in enumerate(lines, start=1)]
    pieces: dict[int, list[PurchaseLine]] = {}
    for one in goods:
        pieces.setdefault(cut.randrange(len(goods)), []).append(one)

    back = sum(taken(rule_set, *piece) for piece in pieces.values())

    assert back <= taken(rule_set, *goods) <= evaluate_purchase(purchase(1, goods).data, rule_set).points
