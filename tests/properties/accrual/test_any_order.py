"""Documents about one sale may come in any order: the member ends with the same points."""

from hypothesis import given
from hypothesis import strategies as st

from shared.events.purchases import PurchaseEvent
from tests.support.pure_decisions import ANNA, decided, points_left
from tests.support.receipts import line, purchase, return_of, void_of


@st.composite
def voided_sales(draw: st.DrawFn) -> list[PurchaseEvent]:
    """A purchase, some returns of it, and one void or two, in any order."""
    lines = [
        line(number, draw(st.integers(0, 5_000)), draw(st.sampled_from(["GROCERY", "PRODUCE"])), 3_000)
        for number in range(1, draw(st.integers(2, 4)))
    ]
    sale = purchase(1, lines, owner=ANNA)
    returns = [
        return_of(sale, 10 + number, {draw(st.integers(1, len(lines))): draw(st.integers(1, 3_000))})
        for number in range(draw(st.integers(0, 3)))
    ]
    voids = [void_of(sale, 20 + number) for number in range(draw(st.integers(1, 2)))]
    return draw(st.permutations([sale, *returns, *voids]))


@given(voided_sales())
def test_nothing_is_left_of_a_sale_that_was_voided_whatever_came_first(events: list[PurchaseEvent]) -> None:
    assert points_left(decided(events)) == 0
