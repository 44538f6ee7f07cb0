"""Goods that came back: which of the points that paid for them go back, by line and quantity.

A line's points are shared among its pieces as they come back, and each return is measured against all that came back
so far: so partial returns add up to the whole, to the last point, whatever their number and order. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from services.redemption.domain.redemption import Capture
from services.redemption.domain.sold_goods import SoldGoods
from services.redemption.domain.tender import UnusableReceiptError
from shared.events.purchases import ExchangeRecorded, PurchaseEvent, ReturnLine, ReturnRecorded, Tender
from shared.receipt_key import natural_key_of, partner_of


@dataclass(frozen=True, slots=True)
class PaidOut:
    """What a return says that it paid back in points, in money; of a redemption where it names one."""

    redemption_id: UUID | None
    amount_minor: int


@dataclass(frozen=True, slots=True)
class GoodsReturn:
    """A document by which goods of a receipt came back; ``thousandths`` are quantities by the receipt's lines.

    ``said`` is what it says of points: nothing at all is known where it names no tenders (None), and where it names
    some, it paid back no more in points than these. ``moves_on``: goods of an exchange, whose points pay for others.
    """

    return_key: bytes
    content_hash: str
    receipt_key: bytes
    thousandths: tuple[tuple[int, int], ...]
    said: tuple[PaidOut, ...] | None = None
    moves_on: bool = False
    traceparent: str | None = None
    is_counted: bool = False

    @property
    def undone_by(self) -> bytes:
        """The document that undoes."""
        return self.return_key

    @property
    def cause(self) -> str:
        """Why points go back."""
        return "return"


def return_of(event: PurchaseEvent, currency: str) -> GoodsReturn | None:
    """The goods that a return or an exchange brought back; None where it is neither, names no receipt, or its till was
    in training. What it paid in another currency than the programme's says nothing of points.

    Raises:
        MalformedReceiptIdError: one of its receipt ids is not one of ours.
        UnusableReceiptError: one of them is another partner's.
    """
    if not isinstance(event, ReturnRecorded | ExchangeRecorded) or event.data.is_training:
        return None
    data = event.data
    if data.original_receipt_id is None:
        return None
    return_key, receipt_key = natural_key_of(data.receipt_id), natural_key_of(data.original_receipt_id)
    if {partner_of(return_key), partner_of(receipt_key)} != {data.partner_id}:
        raise UnusableReceiptError("a return and the receipt whose goods come back are its own partner's")
    lines = event.data.returned_lines if isinstance(event, ExchangeRecorded) else event.data.lines
    moves_on = isinstance(event, ExchangeRecorded)
    pays_back = not isinstance(event, ExchangeRecorded) or event.data.total_minor < 0
    is_told = bool(data.tenders) and data.currency == currency and pays_back
    return GoodsReturn(
        return_key=return_key,
        content_hash=data.content_hash,
        receipt_key=receipt_key,
        thousandths=_thousandths(lines),
        said=_said(data.tenders) if is_told else None,
        moves_on=moves_on,
        traceparent=event.traceparent,
    )


def _thousandths(lines: Iterable[ReturnLine]) -> tuple[tuple[int, int], ...]:
    summed: dict[int, int] = {}
    for line in lines:
        summed[line.original_line_id] = summed.get(line.original_line_id, 0) + line.quantity_thousandths
    return tuple(sorted(summed.items()))


def _said(tenders: Iterable[Tender]) -> tuple[PaidOut, ...]:
    return tuple(PaidOut(one.redemption_id, one.amount_minor) for one in tenders if one.kind == "points")


class Paid(NamedTuple):
    """A capture of the receipt; ``amount_minor`` is what all that it asked for paid. ``given``: back, by document."""

    capture: Capture
    amount_minor: int
    given: Mapping[bytes, int]


class Due(NamedTuple):
    """Points of a capture that go back for a document; ``capture`` is as it stands just before."""

    document: GoodsReturn
    capture: Capture
    points: int


DoubtKind: TypeAlias = Literal["returned_more", "overpaid_refund"]


class Doubt(NamedTuple):
    """A document that says what cannot be, for a person: goods came back that were not bought with its receipt, or more
    points than that took; ``given_points`` were given all the same."""

    kind: DoubtKind
    document: GoodsReturn
    redemption_id: UUID
    asked_points: int = 0
    given_points: int = 0


class Settlement(NamedTuple):
    """What becomes of a receipt's returns: which count, what goes back, and how the captures stand then."""

    counted: tuple[GoodsReturn, ...]
    refused: tuple[GoodsReturn, ...]
    due: tuple[Due, ...]
    captures: tuple[Capture, ...]
    doubts: tuple[Doubt, ...]


@dataclass(slots=True)
class _Purse:
    """A capture while its receipt's returns are settled one after the other."""

    paid: Paid
    capture: Capture
    by_line: Sequence[int]
    moved: int = 0
    due: list[Due] = field(default_factory=list)

    @property
    def left(self) -> int:
        """What may go back: neither went before, nor pays for goods of exchanges."""
        return max(0, self.capture.points - self.capture.refunded_points - self.moved)

    def worth_minor(self, points: int) -> Fraction:
        return Fraction(points * self.paid.amount_minor, max(1, self.capture.asked_points))

    def points_for(self, amount_minor: int | Fraction) -> int:
        return int(amount_minor * self.capture.asked_points // max(1, self.paid.amount_minor))

    def owed(self, share: int) -> int:
        """What lines are owed that are worth ``share``, all that was settled before being off it."""
        settled = max(self.capture.settled_points, self.capture.refunded_points)
        return max(0, min(self.left, share - self.moved - settled))

    def give(self, document: GoodsReturn, points: int, share: int) -> None:
        if points:
            self.due.append(Due(document, self.capture, points))
        refunded = self.capture.refunded_points + points
        settled = max(self.capture.settled_points, share - self.moved, refunded)
        self.capture = _changed(self.capture, refunded, settled)


def settle_goods(goods: SoldGoods, returns: Sequence[GoodsReturn], paid: Sequence[Paid]) -> Settlement:
    """What goes back for these returns of a receipt, in their order. Those that were counted before count still; what
    has gone back for a document is not given again. Captures that came since are owed their part of all of them."""
    purses = [
        _Purse(one, one.capture, goods.points_by_line(one.capture.redemption_id, one.capture.points)) for one in paid
    ]
    returned: dict[int, int] = {}
    counted: list[GoodsReturn] = []
    refused: list[GoodsReturn] = []
    doubts: list[Doubt] = []
    for document in sorted(returns, key=lambda one: not one.is_counted):
        after = _added(goods, returned, document)
        if after is None and not document.is_counted:
            refused.append(document)
            doubts.extend(Doubt("returned_more", document, one.capture.redemption_id) for one in purses[:1])
            continue
        before, returned = returned, returned if after is None else after
        counted.append(document)
        shares = [_share(goods, purse.by_line, returned) for purse in purses]
        if document.moves_on:
            for purse, share in zip(purses, shares, strict=True):
                purse.moved += min(purse.left, share - _share(goods, purse.by_line, before))
            doubts.extend(_paid_out(document, purses))
        else:
            doubts.extend(_give(document, purses, shares))
    return Settlement(
        tuple(counted),
        tuple(refused),
        tuple(due for purse in purses for due in purse.due),
        tuple(_moved(purse.capture, purse.moved) for purse in purses),
        tuple(doubts),
    )


def _added(goods: SoldGoods, returned: Mapping[int, int], document: GoodsReturn) -> dict[int, int] | None:
    """What has come back in all; None where it was not bought, or not so many."""
    bought = {line.line_id: line.quantity_thousandths for line in goods.lines}
    after = dict(returned)
    for line_id, thousandths in document.thousandths:
        after[line_id] = after.get(line_id, 0) + thousandths
        if after[line_id] > bought.get(line_id, 0):
            return None
    return after


def points_of_lines(
    goods: SoldGoods, capture: Capture, before: Mapping[int, int], after: Mapping[int, int]
) -> list[int]:
    """The points of a capture that had paid for what came back between the two, by line."""
    by_line = goods.points_by_line(capture.redemption_id, capture.points)
    earlier, later = _shares(goods, by_line, before), _shares(goods, by_line, after)
    return [there - here for here, there in zip(earlier, later, strict=True)]


def _share(goods: SoldGoods, by_line: Sequence[int], returned: Mapping[int, int]) -> int:
    return sum(_shares(goods, by_line, returned))


def _shares(goods: SoldGoods, by_line: Sequence[int], returned: Mapping[int, int]) -> list[int]:
    """The points of what has come back, by line: its last piece brings what is left of it."""
    return [
        points * returned.get(line.line_id, 0) // max(1, line.quantity_thousandths)
        for line, points in zip(goods.lines, by_line, strict=True)
    ]


def _give(document: GoodsReturn, purses: Sequence[_Purse], shares: Sequence[int]) -> Iterable[Doubt]:
    """Give what the lines are owed, or what the document says that it paid back in points, where that can be."""
    before_minor = sum(
        (purse.worth_minor(purse.paid.given.get(document.return_key, 0)) for purse in purses), start=Fraction()
    )
    still = [
        (purse, share)
        for purse, share in zip(purses, shares, strict=True)
        if document.return_key not in purse.paid.given
    ]
    open_purses = [purse for purse, _ in still]
    owed = [purse.owed(share) for purse, share in still]
    said = _said_of(document, open_purses, owed, before_minor)
    for (purse, share), by_lines, points in zip(still, owed, said, strict=True):
        is_overpaid = points > purse.left  # nobody paid so much: the lines say what goes back
        if is_overpaid:
            yield Doubt("overpaid_refund", document, purse.capture.redemption_id, points, by_lines)
        purse.give(document, by_lines if is_overpaid else points, share)


def _paid_out(document: GoodsReturn, purses: Sequence[_Purse]) -> Iterable[Doubt]:
    """An exchange that says that it paid back in points: what had paid for the goods pays for others by now."""
    amount_minor = sum(one.amount_minor for one in document.said or ())
    for purse in purses[:1] if amount_minor > 0 else ():
        yield Doubt("overpaid_refund", document, purse.capture.redemption_id, purse.points_for(amount_minor))


def _said_of(
    document: GoodsReturn, purses: Sequence[_Purse], owed: Sequence[int], before_minor: Fraction
) -> Sequence[int]:
    """The points that a document says for each of these, ``before_minor`` having gone back for it; worth what the lines
    are owed but for rounding, it is those.

    What it says of a redemption is that one's; of none of these, it fills one after the other.
    """
    if document.said is None or not purses:
        return owed
    worth_minor = sum((purse.worth_minor(points) for purse, points in zip(purses, owed, strict=True)), start=Fraction())
    if abs(sum(one.amount_minor for one in document.said) - before_minor - worth_minor) < len(purses):
        return owed
    ours = {purse.capture.redemption_id for purse in purses}
    named_minor: dict[UUID | None, int] = {}
    for one in document.said:
        whose = one.redemption_id if one.redemption_id in ours else None
        named_minor[whose] = named_minor.get(whose, 0) + one.amount_minor
    pool_minor = max(Fraction(0), named_minor.pop(None, 0) - before_minor)
    said: list[int] = []
    for place, purse in enumerate(purses, start=1):
        points = purse.points_for(named_minor.get(purse.capture.redemption_id, 0))
        room = purse.left - points
        more = purse.points_for(pool_minor)
        if place < len(purses):  # what nobody has room for stands at the last one
            more = max(0, min(room, more))
        pool_minor = max(Fraction(0), pool_minor - purse.worth_minor(more))
        said.append(points + more)
    return said


def _changed(capture: Capture, refunded: int, settled: int) -> Capture:
    return replace(capture, refunded_points=refunded, settled_points=min(capture.points, settled))


def _moved(capture: Capture, moved: int) -> Capture:
    return replace(capture, moved_points=moved)
