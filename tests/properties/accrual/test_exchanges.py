"""An exchange gives what a return and a purchase would give one after the other, as long as no cap or policy binds."""

from hypothesis import given
from hypothesis import strategies as st

from services.accrual.domain.exchanged_goods import goods_taken, paid_in_all
from shared.events.purchases import ExchangeRecorded, PurchaseEvent, PurchaseRecorded, Tender
from tests.support.pure_decisions import ANNA, decided, points_left
from tests.support.receipts import exchange_of, line, purchase, return_of


@st.composite
def exchanges(draw: st.DrawFn) -> tuple[PurchaseRecorded, ExchangeRecorded, dict[int, int]]:
    """A purchase that points may have paid in part, some of it for other goods, and what came back."""
    lines = [
        line(number, draw(st.integers(1, 9_000)), draw(st.sampled_from(["GROCERY", "PRODUCE"])), 2_000)
        for number in range(1, draw(st.integers(2, 4)))
    ]
    total = sum(one.amount_minor for one in lines)
    by_points = draw(st.integers(0, total))
    sale = purchase(
        1,
        lines,
        owner=ANNA,
        tenders=[Tender(kind="points", amount_minor=by_points), Tender(kind="card", amount_minor=total - by_points)],
    )
    returned = {one.line_id: draw(st.integers(0, 2_000)) for one in lines}
    returned = {line_id: quantity for line_id, quantity in returned.items() if quantity} or {1: 1_000}
    sold = [line(1, draw(st.integers(1, 9_000))), line(2, draw(st.integers(0, 9_000)), "PRODUCE")]
    exchange = exchange_of(sale, 2, returned, sold, owner=ANNA)
    paid = Tender(kind=draw(st.sampled_from(["points", "card"])), amount_minor=abs(exchange.data.total_minor))
    exchange = exchange.model_copy(update={"data": exchange.data.model_copy(update={"tenders": (paid,)})})
    return sale, exchange, returned


@given(exchanges())
def test_it_comes_to_a_return_and_then_a_purchase(
    play: tuple[PurchaseRecorded, ExchangeRecorded, dict[int, int]],
) -> None:
    sale, exchange, returned = play
    paid_by = paid_in_all(exchange.data, sale.data, {}, returned)
    goods = goods_taken(exchange.data, paid_by)
    bought_apart = purchase(4, list(goods.lines), owner=ANNA, tenders=goods.tenders)
    apart: list[PurchaseEvent] = [sale, return_of(sale, 3, returned), bought_apart]

    assert points_left(decided([sale, exchange])) == points_left(decided(apart))
    assert points_left(decided([exchange, sale])) == points_left(decided(apart))


@given(exchanges())
def test_what_paid_for_goods_that_are_exchanged_in_parts_adds_up(
    play: tuple[PurchaseRecorded, ExchangeRecorded, dict[int, int]],
) -> None:
    sale, exchange, returned = play
    whole = {one.line_id: one.quantity_thousandths for one in sale.data.lines}
    nothing_paid = exchange.data.model_copy(update={"tenders": ()})

    first = paid_in_all(nothing_paid, sale.data, {}, returned)
    second = paid_in_all(nothing_paid, sale.data, returned, whole)

    for tender in sale.data.tenders:
        assert first.get(tender.kind, 0) + second.get(tender.kind, 0) == tender.amount_minor


@given(exchanges())
def test_goods_for_equal_goods_that_points_had_paid_in_part_earn_as_much_as_they_had(
    play: tuple[PurchaseRecorded, ExchangeRecorded, dict[int, int]],
) -> None:
    sale, _, _ = play
    whole = {one.line_id: one.quantity_thousandths for one in sale.data.lines}
    even = exchange_of(sale, 2, whole, list(sale.data.lines), owner=ANNA)

    assert points_left(decided([sale, even])) == points_left(decided([sale]))
