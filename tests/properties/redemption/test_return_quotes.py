"""What returns are quoted is what they bring back, and for any split of a return it adds up to the whole."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.redemption.domain.goods_return import GoodsReturn, PaidOut
from services.redemption.domain.redemption import Capture
from services.redemption.domain.return_quote import quote_in_money, quote_return
from services.redemption.domain.returning import Paid, settle_goods
from services.redemption.domain.sold_goods import Payment, SoldGoods, SoldLine

REDEMPTION, RECEIPT = UUID(int=1), b"receipt"
NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 900)), min_size=1, max_size=4), st.data())
def test_for_any_split_of_a_return_money_and_points_add_up_to_those_of_the_whole(
    rows: list[tuple[int, int]], data: st.DataObject
) -> None:
    sold = [SoldLine(number, pieces * 1000, amount, amount) for number, (pieces, amount) in enumerate(rows, start=1)]
    total_minor = sum(line.amount_minor for line in sold)
    paid_minor = data.draw(st.integers(1, total_minor))
    points = data.draw(st.integers(1, 400))
    goods = SoldGoods(RECEIPT, RECEIPT, "hash", NOON, tuple(sold), (Payment(REDEMPTION, paid_minor),))
    capture = Capture(REDEMPTION, RECEIPT, points, 0, 0, 0, points, "http", None)
    whole = quote_return(
        goods, [], [Paid(capture, paid_minor, {})], {line.line_id: line.quantity_thousandths for line in sold}
    )
    assert (whole.total_minor, whole.money_minor) == (total_minor, total_minor - paid_minor)
    assert [(one.points, one.value_minor) for one in whole.points] == [(points, paid_minor)]

    pieces = data.draw(
        st.permutations([line.line_id for line in sold for _ in range(line.quantity_thousandths // 1000)])
    )
    returns: list[GoodsReturn] = []
    back: dict[bytes, int] = {}
    money_minor = value_minor = 0
    while pieces:
        together = data.draw(st.integers(1, len(pieces)))
        some, pieces = pieces[:together], pieces[together:]
        asked = {line_id: some.count(line_id) * 1000 for line_id in some}
        quoted = quote_return(goods, returns, [Paid(capture, paid_minor, back)], asked)
        assert sum(line.money_minor for line in quoted.lines) == quoted.money_minor
        assert min(line.money_minor for line in quoted.lines) >= 0
        of_lines = [one for line in quoted.lines for one in line.points]
        assert sum(one.points for one in of_lines) == sum(one.points for one in quoted.points)
        assert sum(one.value_minor for one in of_lines) == sum(one.value_minor for one in quoted.points)
        said = tuple(PaidOut(one.redemption_id, one.value_minor) for one in quoted.points)
        document = GoodsReturn(b"%d" % len(returns), "hash", RECEIPT, tuple(asked.items()), said)
        settled = settle_goods(goods, [*returns, document], [Paid(capture, paid_minor, back)])
        assert [due.points for due in settled.due] == [one.points for one in quoted.points]
        assert settled.doubts == ()
        back |= {due.document.return_key: due.points for due in settled.due}
        (capture,) = settled.captures
        returns.append(replace(document, is_counted=True))
        money_minor += quoted.money_minor
        value_minor += sum(one.value_minor for one in quoted.points)

    assert (money_minor, value_minor, sum(back.values())) == (total_minor - paid_minor, paid_minor, points)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 900)), min_size=1, max_size=4), st.data())
def test_for_any_split_of_a_return_without_points_the_money_of_each_line_adds_up_whoever_has_read_what(
    rows: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Of what came back before, each of the two services has read some."""
    sold = [SoldLine(number, pieces * 1000, amount, 0) for number, (pieces, amount) in enumerate(rows, start=1)]
    goods = SoldGoods(RECEIPT, RECEIPT, "hash", NOON, tuple(sold), ())
    pieces = data.draw(
        st.permutations([line.line_id for line in sold for _ in range(line.quantity_thousandths // 1000)])
    )
    returns: list[GoodsReturn] = []
    came_back: dict[int, int] = {}
    money_minor: dict[int, int] = {}
    while pieces:
        together = data.draw(st.integers(1, len(pieces)))
        some, pieces = pieces[:together], pieces[together:]
        asked = {line_id: some.count(line_id) * 1000 for line_id in some}
        is_read_here = data.draw(st.booleans())
        quoted = quote_in_money(goods, returns if is_read_here else [], {} if is_read_here else came_back, asked)
        assert sum(line.money_minor for line in quoted.lines) == quoted.money_minor == quoted.total_minor
        assert quoted.points == ()
        for line in quoted.lines:
            assert line.money_minor >= 0
            money_minor[line.line_id] = money_minor.get(line.line_id, 0) + line.money_minor
        returns.append(GoodsReturn(b"%d" % len(returns), "hash", RECEIPT, tuple(asked.items()), is_counted=True))
        came_back |= {line_id: came_back.get(line_id, 0) + quantity for line_id, quantity in asked.items()}

    assert money_minor == {line.line_id: line.amount_minor for line in sold}
