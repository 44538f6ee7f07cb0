"""Goods come back one by one, each told over HTTP, by its document, or both: what goes back is the same."""

from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.redemption.domain.goods_return import OVER_HTTP, GoodsReturn, PaidOut
from services.redemption.domain.redemption import Capture
from services.redemption.domain.refunding import OverpaidRefundError, decide_refund, said_otherwise
from services.redemption.domain.returning import Doubt, Paid, settle_goods
from services.redemption.domain.sold_goods import SoldGoods
from tests.properties.redemption.test_returned_goods import RECEIPT, REDEMPTIONS, captured, goods_of

rows = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 900), st.integers(0, 900)), min_size=1, max_size=3)


@dataclass
class Receipt:
    """A receipt that took points of one redemption, as its rows say it; a point pays a minor unit."""

    goods: SoldGoods
    capture: Capture
    returns: list[GoodsReturn] = field(default_factory=list)
    given: dict[bytes, int] = field(default_factory=dict)
    over_http: dict[bytes, int] = field(default_factory=dict)
    doubts: list[Doubt] = field(default_factory=list)

    @property
    def paid(self) -> Paid:
        return Paid(self.capture, self.capture.points, self.given, self.over_http)

    def read(self, document: GoodsReturn) -> None:
        """As the consumer does it; what HTTP says by line is read so, too."""
        if any(one.return_key == document.return_key for one in self.returns):
            self.doubts += said_otherwise([document], self.returns, [self.paid])
            return
        self.returns.append(document)
        settled = settle_goods(self.goods, self.returns, [self.paid])
        for due in settled.due:
            self.given[due.document.return_key] = due.points
            if due.document.content_hash == OVER_HTTP:
                self.over_http[due.document.return_key] = due.points
        self.capture = settled.captures[0]
        self.doubts += settled.doubts
        counted = {one.return_key for one in settled.counted}
        self.returns = [replace(one, is_counted=one.return_key in counted) for one in self.returns]

    def refund(self, return_key: bytes, points: int) -> None:
        """As the route does it, by an amount."""
        if return_key in self.given or any(one.return_key == return_key for one in self.returns):
            return
        settled = decide_refund(self.capture, points)
        self.given[return_key] = self.over_http[return_key] = points
        self.capture = replace(settled, refunded_points=settled.refunded_points + points)


def parts_of(goods: SoldGoods, points: int) -> list[tuple[GoodsReturn, int]]:
    """Each piece as a return of its own, and what the lines are owed for it in this order."""
    receipt = Receipt(goods, captured(REDEMPTIONS[0], points))
    pieces = [line.line_id for line in goods.lines for _ in range(line.quantity_thousandths // 1000)]
    told = []
    for number, line_id in enumerate(pieces):
        document = GoodsReturn(b"%d" % number, "hash", RECEIPT, ((line_id, 1000),))
        receipt.read(document)
        told.append((document, receipt.given.get(document.return_key, 0)))
    return told


@given(rows, st.integers(1, 400), st.data())
def test_each_piece_is_refunded_once_whichever_way_comes_first(
    sold: list[tuple[int, int, int]], points: int, data: st.DataObject
) -> None:
    """By amounts, which are what lines are owed, in whatever order HTTP and documents come."""
    goods = goods_of(sold, points)
    parts = parts_of(goods, points)
    receipt = Receipt(goods, captured(REDEMPTIONS[0], points))
    steps = data.draw(st.permutations([(place, way) for place in range(len(parts)) for way in ("http", "document")]))
    for place, way in steps:
        document, owed = parts[place]
        said = replace(document, said=(PaidOut(None, owed),))
        if way == "document":
            receipt.read(said)
            receipt.read(said)
        elif owed:
            receipt.refund(document.return_key, owed)
        assert receipt.capture.refunded_points <= receipt.capture.settled_points <= points
    assert receipt.capture.refunded_points == sum(receipt.given.values()) == points
    assert receipt.given == {document.return_key: owed for document, owed in parts if owed}
    assert receipt.doubts == []


@given(rows, st.integers(1, 400), st.data())
def test_what_is_told_by_amount_never_takes_from_other_goods(
    sold: list[tuple[int, int, int]], points: int, data: st.DataObject
) -> None:
    """Some pieces by amount alone, whose documents come last or never; of the others the lines decide, by HTTP or by
    document: these get what they would have got, as all came in one order."""
    goods = goods_of(sold, points)
    parts = parts_of(goods, points)
    receipt = Receipt(goods, captured(REDEMPTIONS[0], points))
    late = []
    for document, owed in parts:
        by_amount = owed and data.draw(st.booleans())
        if by_amount:
            receipt.refund(document.return_key, owed)
            late.append(document)
        else:
            receipt.read(replace(document, content_hash=data.draw(st.sampled_from([OVER_HTTP, "hash"]))))
    for document in late:
        receipt.read(document)
    assert sum(receipt.given.values()) == receipt.capture.refunded_points <= points
    assert receipt.capture.settled_points == points  # all of it came back, so nothing is left for anybody to ask for
    assert receipt.capture.left_points == 0


@given(rows, st.integers(1, 400), st.lists(st.tuples(st.integers(0, 5), st.integers(1, 400)), max_size=8), st.data())
def test_whatever_is_asked_for_no_more_goes_back_than_was_taken(
    sold: list[tuple[int, int, int]], points: int, asks: list[tuple[int, int]], data: st.DataObject
) -> None:
    receipt = Receipt(goods_of(sold, points), captured(REDEMPTIONS[0], points))
    for number, asked in asks:
        key = b"%d" % number
        if data.draw(st.booleans()):
            left = receipt.capture.left_points
            known = key in receipt.given or any(one.return_key == key for one in receipt.returns)
            if known or asked <= left:
                receipt.refund(key, asked)
            else:
                with pytest.raises(OverpaidRefundError):
                    receipt.refund(key, asked)
        else:
            said = data.draw(st.none() | st.just((PaidOut(data.draw(st.sampled_from([None, UUID(int=9)])), asked),)))
            line_id = data.draw(st.integers(1, len(sold)))
            receipt.read(GoodsReturn(key, "hash", RECEIPT, ((line_id, 1000),), said))
        assert sum(receipt.given.values()) == receipt.capture.refunded_points
        assert receipt.capture.refunded_points <= receipt.capture.settled_points <= points
