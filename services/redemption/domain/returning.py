"""Goods that came back: which of the points that paid for them go back, by line and quantity.

A line's points are shared among its pieces as they come back, and each return is measured against all that came back
so far: so partial returns add up to the whole, to the last point, whatever their number and order. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from services.redemption.domain.goods_return import GoodsReturn
from services.redemption.domain.redemption import Capture
from services.redemption.domain.sold_goods import SoldGoods


class Paid(NamedTuple):
    """A capture of the receipt; ``amount_minor`` is what all that it asked for paid. ``given``: back, by document;
    ``unnamed`` is what of that was said over HTTP alone: for which goods, the document says once it is counted."""

    capture: Capture
    amount_minor: int
    given: Mapping[bytes, int]
    unnamed: Mapping[bytes, int] = {}


class Due(NamedTuple):
    """Points of a capture that go back for a document; ``capture`` is as it stands just before."""

    document: GoodsReturn
    capture: Capture
    points: int


DoubtKind: TypeAlias = Literal["returned_more", "overpaid_refund", "amount_mismatch"]


class Doubt(NamedTuple):
    """A document that says what cannot be, for a person: goods came back that were not bought with its receipt, more
    points than that took, or others than HTTP had said; ``given_points`` were given all the same."""

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
    unnamed: dict[bytes, int]
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
        return max(0, min(self.left, share - self.moved - self.settled_of_lines))

    @property
    def settled_of_lines(self) -> int:
        """What was settled of goods that are named."""
        settled = self.capture.gone_points
        return settled - sum(self.unnamed.values())

    def give(self, document: GoodsReturn, points: int, share: int) -> None:
        if points:
            self.due.append(Due(document, self.capture, points))
        refunded = self.capture.refunded_points + points
        settled = max(self.capture.settled_points, share - self.moved + sum(self.unnamed.values()), refunded)
        self.capture = _changed(self.capture, refunded, settled)

    def name(self, document: GoodsReturn, share: int) -> int:
        """Take it in that what HTTP has given for this document was for goods that come to ``share``; gives what these
        would have been owed."""
        given = self.unnamed[document.return_key]
        owed = max(0, min(self.left + given, share - self.moved - self.settled_of_lines))
        of_lines = max(self.settled_of_lines, share - self.moved)
        del self.unnamed[document.return_key]
        settled = max(of_lines + sum(self.unnamed.values()), self.capture.refunded_points)
        self.capture = _changed(self.capture, self.capture.refunded_points, settled)
        return owed


def settle_goods(goods: SoldGoods, returns: Sequence[GoodsReturn], paid: Sequence[Paid]) -> Settlement:
    """What goes back for these returns of a receipt, in their order. Those that were counted before count still; what
    has gone back for a document is not given again. Captures that came since are owed their part of all of them."""
    purses = [_purse(goods, one, returns) for one in paid]
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
            doubts.extend(_paid_out(document, purses, shares))
        else:
            doubts.extend(_give(document, purses, shares))
    return Settlement(
        tuple(counted),
        tuple(refused),
        tuple(due for purse in purses for due in purse.due),
        tuple(_moved(purse.capture, purse.moved) for purse in purses),
        tuple(doubts),
    )


def _purse(goods: SoldGoods, paid: Paid, returns: Sequence[GoodsReturn]) -> _Purse:
    counted = {one.return_key for one in returns if one.is_counted}
    unnamed = {key: points for key, points in paid.unnamed.items() if key not in counted}
    return _Purse(
        paid, paid.capture, goods.points_by_line(paid.capture.redemption_id, paid.capture.points), unnamed=unnamed
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
    yield from _named(document, purses, shares, said_minor=None if document.said is None else _minor_of(document))


def _named(
    document: GoodsReturn, purses: Sequence[_Purse], shares: Sequence[int], said_minor: int | None
) -> Iterable[Doubt]:
    """HTTP came before this document: it names the goods, and should say the same amount, but for rounding."""
    early = [(purse, share) for purse, share in zip(purses, shares, strict=True) if _is_early(document, purse)]
    if not early:
        return
    key, given_minor = document.return_key, Fraction()
    for purse in purses:
        given = purse.paid.given.get(key, sum(due.points for due in purse.due if due.document is document))
        given_minor += purse.worth_minor(given)
    for purse, share in early:
        given = purse.unnamed[key]
        owed = purse.name(document, share)
        if said_minor is None and owed != given:
            yield Doubt("amount_mismatch", document, purse.capture.redemption_id, owed, given)
    if said_minor is not None and abs(said_minor - given_minor) >= len(purses):
        purse = early[0][0]
        yield Doubt(
            "amount_mismatch",
            document,
            purse.capture.redemption_id,
            purse.points_for(said_minor),
            purse.paid.given[key],
        )


def _is_early(document: GoodsReturn, purse: _Purse) -> bool:
    return document.return_key in purse.unnamed


def _minor_of(document: GoodsReturn) -> int:
    return sum(one.amount_minor for one in document.said or ())


def _paid_out(document: GoodsReturn, purses: Sequence[_Purse], shares: Sequence[int]) -> Iterable[Doubt]:
    """An exchange that says, or of which HTTP has said, that it paid back in points: what had paid for the goods pays
    for others by now."""
    for purse, share in zip(purses, shares, strict=True):
        if _is_early(document, purse):
            given = purse.unnamed[document.return_key]
            purse.name(document, share)
            yield Doubt("overpaid_refund", document, purse.capture.redemption_id, given, given)
            return
    amount_minor = _minor_of(document)
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
