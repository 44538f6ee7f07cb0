"""Partial returns add up: whatever comes back in whatever order, the sum is what the goods had earned."""

from hypothesis import given
from hypothesis import strategies as st

from services.accrual.domain.earning_base import base_after_returns, earning_base
from services.accrual.domain.evaluation import evaluate_purchase
from services.accrual.domain.returns import ClawBackPlan, plan_claw_back
from shared.events.purchases import PurchaseData, PurchaseLine, Tender
from shared.money import share_out
from tests.support.receipts import RULES, line, purchase, return_of


@st.composite
def purchases(draw: st.DrawFn) -> PurchaseData:
    amounts = draw(st.lists(st.integers(0, 50_000), min_size=1, max_size=6))
    lines: list[PurchaseLine] = [
        line(
            index + 1,
            amount,
            draw(st.sampled_from(["GROCERY", "PRODUCE", "MEAT"])),
            quantity_thousandths=draw(st.integers(1, 5_000)),
        )
        for index, amount in enumerate(amounts)
    ]
    total = sum(amounts)
    by_points = draw(st.integers(0, total))
    tenders = (Tender(kind="points", amount_minor=by_points), Tender(kind="card", amount_minor=total - by_points))
    return purchase(1, lines, tenders=tenders).data


@given(purchases(), st.data())
def test_returns_in_any_portions_take_back_exactly_the_award(bought: PurchaseData, data: st.DataObject) -> None:
    awarded = evaluate_purchase(bought, RULES).points
    left = {row.line_id: row.quantity_thousandths for row in bought.lines}
    taken_back, returned = 0, dict[int, int]()
    while any(left.values()):
        line_id = data.draw(st.sampled_from(sorted(line_id for line_id, quantity in left.items() if quantity)))
        quantity = data.draw(st.integers(1, left[line_id]))
        left[line_id] -= quantity
        lines = return_of(purchase(1, list(bought.lines)), 2, {line_id: quantity}).data.lines
        plan = plan_claw_back(
            bought,
            RULES,
            awarded_points=awarded,
            taken_back_points=taken_back,
            returned_before=returned,
            lines=lines,
        )
        assert isinstance(plan, ClawBackPlan)
        assert plan.points >= 0
        taken_back += plan.points
        returned = plan.returned_thousandths
    assert taken_back == awarded


@given(purchases())
def test_nothing_returned_leaves_the_base_as_it_was(bought: PurchaseData) -> None:
    assert base_after_returns(bought, RULES.exclusions, {}) == earning_base(bought, RULES.exclusions)


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_shares_add_up_to_the_whole(total: int, weights: list[int]) -> None:
    parts = share_out(total, weights)

    assert sum(parts) == (total if sum(weights) else 0)
    assert all(part >= 0 for part in parts)
