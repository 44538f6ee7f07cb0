"""What a till pays back for goods, in money and in points, before it says so in a return. Pure.

Of a line, points and money each have their part, and each comes back by what of the line has come back so far: partial
returns add up to the whole, to the last point and minor unit.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from services.redemption.domain.goods_return import GoodsReturn
from services.redemption.domain.returning import Paid, points_of_lines, settle_goods
from services.redemption.domain.sold_goods import SoldGoods
from services.redemption.domain.tender import Pricing
from shared.money import share_out

# The return that is asked about, and all that came before it; no receipt has these keys.
_ASKED = b""
_BEFORE = b"before"


class NotBoughtError(Exception):
    """Of a line there is not so much that could come back; ``left_thousandths`` None: the receipt has no such line."""

    def __init__(self, line_id: int, left_thousandths: int | None) -> None:
        super().__init__(f"line {line_id}: {left_thousandths} thousandths are left to come back")
        self.line_id = line_id
        self.left_thousandths = left_thousandths


class PointsBack(NamedTuple):
    """Points of a redemption that go back, and what they are worth as a tender of the return."""

    redemption_id: UUID
    points: int
    value_minor: int


class Withholding(NamedTuple):
    """What is kept of a refund, and for how many points."""

    points: int
    amount_minor: int


class LineBack(NamedTuple):
    """What is paid back for a line: in money, and in points by redemption."""

    line_id: int
    thousandths: int
    money_minor: int
    points: tuple[PointsBack, ...]


class ReturnQuote(NamedTuple):
    """What is paid back in all; the lines add up to it exactly."""

    money_minor: int
    points: tuple[PointsBack, ...]
    lines: tuple[LineBack, ...]

    @property
    def total_minor(self) -> int:
        """What a return of this comes to."""
        return self.money_minor + sum(one.value_minor for one in self.points)


def quote_return(
    goods: SoldGoods, returns: Sequence[GoodsReturn], paid: Sequence[Paid], asked: Mapping[int, int]
) -> ReturnQuote:
    """What is paid back if these quantities (thousandths by line) of a receipt came back now, after ``returns``.

    Raises:
        NotBoughtError: a line was not bought, or less is left of it.
    """
    document = GoodsReturn(_ASKED, "", goods.receipt_key, tuple(sorted(asked.items())))
    settled = settle_goods(goods, [*returns, document], paid)
    before = _came_back(settled.counted)
    _require_bought(goods, before, asked)
    after = {line.line_id: before.get(line.line_id, 0) + asked.get(line.line_id, 0) for line in goods.lines}
    places = [place for place, line in enumerate(goods.lines) if asked.get(line.line_id)]
    due = {one.capture.redemption_id: (one.capture, one.points) for one in settled.due if one.document is document}
    totals: list[PointsBack] = []
    by_line: list[list[PointsBack]] = [[] for _ in places]
    for one in paid:
        redemption_id = one.capture.redemption_id
        if redemption_id not in due:
            continue
        capture, points = due[redemption_id]
        value_minor = _value_minor(one, capture.refunded_points + points) - _value_minor(one, capture.refunded_points)
        totals.append(PointsBack(redemption_id, points, value_minor))
        parts = points_of_lines(goods, one.capture, before, after)
        natural = [parts[place] for place in places]
        of_lines = (
            natural if sum(natural) == points else share_out(points, natural if any(natural) else [1] * len(natural))
        )
        values_minor = share_out(value_minor, of_lines)
        for line, of_line, minor in zip(by_line, of_lines, values_minor, strict=True):
            if of_line:
                line.append(PointsBack(redemption_id, of_line, minor))
    in_points_minor = _in_points_minor(goods, paid)
    lines = []
    for place, back in zip(places, by_line, strict=True):
        sold = goods.lines[place]
        in_money_minor = max(0, sold.amount_minor - in_points_minor[place])
        money_minor = (
            in_money_minor * after[sold.line_id] // sold.quantity_thousandths
            - in_money_minor * before.get(sold.line_id, 0) // sold.quantity_thousandths
        )
        lines.append(LineBack(sold.line_id, asked[sold.line_id], money_minor, tuple(back)))
    return ReturnQuote(sum(line.money_minor for line in lines), tuple(totals), tuple(lines))


def quote_in_money(
    goods: SoldGoods, returns: Sequence[GoodsReturn], returned_elsewhere: Mapping[int, int], asked: Mapping[int, int]
) -> ReturnQuote:
    """The same for goods of a receipt that points paid nothing of. ``returned_elsewhere`` is what others have read of
    what came back, by line: of each line the more counts, so that nothing is paid back twice by who has not read all.

    Raises:
        NotBoughtError: as ``quote_return``.
    """
    here = _came_back(settle_goods(goods, returns, ()).counted)
    before = tuple(
        (line.line_id, max(here.get(line.line_id, 0), returned_elsewhere.get(line.line_id, 0))) for line in goods.lines
    )
    return quote_return(goods, [GoodsReturn(_BEFORE, "", goods.receipt_key, before, is_counted=True)], (), asked)


def withholding(lacking: int, money_minor: int, pricing: Pricing) -> Withholding | None:
    """What a till keeps of a refund of ``money_minor`` for so many of the programme's own points, at the base price: no
    more than it pays out. None where that is nothing."""
    points = min(lacking, money_minor * pricing.own_points // pricing.minor_per_point)
    amount_minor = pricing.minor_for(points, pricing.own_type)
    return Withholding(points, amount_minor) if points and amount_minor else None


def _in_points_minor(goods: SoldGoods, paid: Sequence[Paid]) -> list[int]:
    """What of each line was paid with points, in money, whether or not the balance covered it."""
    amounts_minor = {one.capture.redemption_id: one.amount_minor for one in paid}
    amounts_minor |= {one.redemption_id: one.amount_minor for one in goods.payments}
    shared = [goods.points_by_line(redemption_id, minor) for redemption_id, minor in amounts_minor.items()]
    return [sum(minors) for minors in zip([0] * len(goods.lines), *shared, strict=True)]


def _came_back(counted: Sequence[GoodsReturn]) -> dict[int, int]:
    came_back: dict[int, int] = {}
    for document in counted:
        if document.return_key != _ASKED:
            for line_id, thousandths in document.thousandths:
                came_back[line_id] = came_back.get(line_id, 0) + thousandths
    return came_back


def _require_bought(goods: SoldGoods, before: Mapping[int, int], asked: Mapping[int, int]) -> None:
    bought = {line.line_id: line.quantity_thousandths for line in goods.lines}
    for line_id, thousandths in asked.items():
        if line_id not in bought:
            raise NotBoughtError(line_id, None)
        left = max(0, bought[line_id] - before.get(line_id, 0))
        if thousandths > left:
            raise NotBoughtError(line_id, left)


def _value_minor(paid: Paid, points: int) -> int:
    """What so many points of a capture are worth, rounded down; all that it asked for is what it paid."""
    return points * paid.amount_minor // max(1, paid.capture.asked_points)
