"""Goods that come back piece by piece bring back, in the end, exactly the points that had paid for them."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.redemption.domain.goods_return import GoodsReturn, PaidOut
from services.redemption.domain.redemption import Capture
from services.redemption.domain.returning import Paid, settle_goods
from services.redemption.domain.sold_goods import Payment, SoldGoods, SoldLine

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
REDEMPTIONS = (UUID(int=1), UUID(int=2))
RECEIPT = b"receipt"

lines = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 900), st.integers(0, 900)), min_size=1, max_size=4)


def goods_of(rows: list[tuple[int, int, int]], *paid_minor: int) -> SoldGoods:
    sold = tuple(
        SoldLine(number, pieces * 1000, amount, min(amount, payable))
        for number, (pieces, amount, payable) in enumerate(rows, start=1)
    )
    payments = tuple(Payment(one, amount) for one, amount in zip(REDEMPTIONS, paid_minor, strict=False))
    return SoldGoods(RECEIPT, RECEIPT, "hash", NOON, sold, payments)


def captured(redemption_id: UUID, points: int, uncovered: int = 0) -> Capture:
    return Capture(redemption_id, RECEIPT, points, 0, uncovered, 0, points, "http", None)


def brought(number: int, said: tuple[PaidOut, ...] | None = None, **of_line: int) -> GoodsReturn:
    quantities = tuple((int(name[1:]), thousandths) for name, thousandths in of_line.items())
    return GoodsReturn(b"%d" % number, "hash", RECEIPT, quantities, said)


@given(lines, st.integers(0, 500), st.integers(1, 500), st.integers(0, 20), st.data())
def test_partial_returns_add_up_to_the_whole_in_whatever_order_and_batches(
    rows: list[tuple[int, int, int]], first: int, second: int, uncovered: int, data: st.DataObject
) -> None:
    """One settled after the other, some of them together, and read again: as much goes back as for all at once."""
    goods = goods_of(rows, 333, 700)
    captures = [captured(REDEMPTIONS[0], first, uncovered), captured(REDEMPTIONS[1], second)]
    pieces = [line.line_id for line in goods.lines for _ in range(line.quantity_thousandths // 1000)]
    returns = [
        brought(number, None, **{f"l{line_id}": 1000})
        for number, line_id in enumerate(data.draw(st.permutations(pieces)))
    ]
    whole = GoodsReturn(
        b"whole", "hash", RECEIPT, tuple((one.line_id, one.quantity_thousandths) for one in goods.lines)
    )
    at_once = settle_goods(goods, [whole], [Paid(one, 1, {}) for one in captures])
    assert [one.refunded_points for one in at_once.captures] == [first, second]

    given_: dict[UUID, dict[bytes, int]] = {one: {} for one in REDEMPTIONS}
    counted: set[bytes] = set()
    read = 0
    while read < len(returns):
        read = data.draw(st.integers(read + 1, len(returns)))
        known = [replace(one, is_counted=one.return_key in counted) for one in returns[:read]]
        settled = settle_goods(goods, known, [Paid(one, 1, given_[one.redemption_id]) for one in captures])
        for due in settled.due:
            given_[due.capture.redemption_id][due.document.return_key] = due.points
        counted.update(one.return_key for one in settled.counted)
        captures = list(settled.captures)
        again = settle_goods(goods, [replace(one, is_counted=True) for one in known], [
            Paid(one, 1, given_[one.redemption_id]) for one in captures
        ])  # fmt: skip
        assert again.due == ()
        assert again.captures == settled.captures

    assert [sum(given_[one].values()) for one in REDEMPTIONS] == [first, second]


@given(
    lines, st.integers(1, 400), st.integers(1, 400), st.lists(st.none() | st.integers(0, 500), max_size=8), st.data()
)
def test_whatever_returns_say_nobody_gets_more_points_than_were_taken(
    rows: list[tuple[int, int, int]], points: int, paid_minor: int, says: list[int | None], data: st.DataObject
) -> None:
    goods = goods_of(rows, paid_minor)
    returns = [
        brought(
            number,
            None if said is None else (PaidOut(data.draw(st.sampled_from([None, *REDEMPTIONS])), said),),
            **{f"l{data.draw(st.integers(1, len(rows) + 1))}": data.draw(st.integers(1, 3)) * 1000},
        )
        for number, said in enumerate(says)
    ]
    settled = settle_goods(goods, returns, [Paid(captured(REDEMPTIONS[0], points), paid_minor, {})])

    (capture,) = settled.captures
    assert 0 <= capture.refunded_points == sum(due.points for due in settled.due) <= points
    assert capture.refunded_points <= capture.settled_points <= points
    assert len(settled.counted) + len(settled.refused) == len(returns)


@given(lines, st.integers(1, 400), st.data())
def test_a_capture_that_comes_after_its_returns_is_owed_what_it_would_have_been_before(
    rows: list[tuple[int, int, int]], points: int, data: st.DataObject
) -> None:
    goods = goods_of(rows, points)
    pieces = [line.line_id for line in goods.lines for _ in range(line.quantity_thousandths // 1000)]
    some = data.draw(st.lists(st.sampled_from(range(len(pieces))), unique=True))
    returns = [brought(place, None, **{f"l{pieces[place]}": 1000}) for place in some]
    paid = Paid(captured(REDEMPTIONS[0], points), points, {})

    before = settle_goods(goods, returns, [paid])
    late = settle_goods(goods, [replace(one, is_counted=True) for one in returns], [paid])

    assert [due.points for due in before.due] == [due.points for due in late.due]
    assert before.captures == late.captures
