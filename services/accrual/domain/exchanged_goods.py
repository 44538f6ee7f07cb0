"""The goods that an exchange handed over, as a purchase: what they cost, and how they were paid. Pure.

What had been paid for the goods that came back pays for those that were taken in their stead: by the tenders that their
purchase was paid with, in proportion. So goods that points had paid for earn no points by being exchanged.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, cast

from shared.events.purchases import ExchangeData, PurchaseData, Tender, TenderKind


class GoodsTaken(PurchaseData):
    """The sold side of an exchange. ``total_minor`` is what these goods cost, ``net_minor`` what was paid on top of
    those that came back (below zero: what was paid out).
    """

    net_minor: int


class KnownExchange(NamedTuple):
    """An exchange that a document voids: of which receipt goods came back in it, how much of each line, and the net
    payment (None: its document is not kept any more). ``points`` of that receipt's award were taken back, ``clipped``
    besides were not there; ``clipped_in_all`` by all that ever came back of it. None but the receipt and the payment
    are known while the exchange is decided in this very batch (``is_new``).
    """

    original_key: bytes
    net_minor: int | None = None
    returned_thousandths: Mapping[int, int] = MappingProxyType({})
    points: int = 0
    clipped: int = 0
    clipped_in_all: int = 0
    voided_by: bytes | None = None
    is_new: bool = False


def goods_taken(exchange: ExchangeData, paid_by: Mapping[str, int]) -> GoodsTaken:
    """The sold side, ``paid_by`` being all that paid for it, by kind of tender (``paid_in_all``)."""
    tenders = tuple(
        Tender(kind=cast("TenderKind", kind), amount_minor=amount) for kind, amount in sorted(paid_by.items())
    )
    cost_minor = sum(line.amount_minor for line in exchange.lines)
    said = exchange.model_dump(exclude={"lines", "tenders", "total_minor", "returned_lines"})
    return GoodsTaken(
        **said, lines=exchange.lines, tenders=tenders, total_minor=cost_minor, net_minor=exchange.total_minor
    )


def paid_in_all(
    exchange: ExchangeData, original: PurchaseData, before: Mapping[int, int], after: Mapping[int, int]
) -> dict[str, int]:
    """What paid for the goods that were taken: what was paid on top, and what had paid for those that came back; less
    what was paid out. ``before`` and ``after`` are quantities that came back of ``original``, by line.
    """
    earlier, now = _paid_for_returned(original, before), _paid_for_returned(original, after)
    paid = {kind: now[kind] - earlier[kind] for kind in now}
    is_paid_out = exchange.total_minor < 0
    for tender in exchange.tenders:
        amount = -tender.amount_minor if is_paid_out else tender.amount_minor
        paid[tender.kind] = paid.get(tender.kind, 0) + amount
    return {kind: amount for kind, amount in paid.items() if amount > 0}


def _paid_for_returned(purchase: PurchaseData, returned: Mapping[int, int]) -> dict[str, int]:
    """By kind of tender, what paid for the goods that came back: what is kept was paid in proportion, rounded down."""
    whole = sum(line.amount_minor for line in purchase.lines)
    kept = sum(
        line.amount_minor
        * (line.quantity_thousandths - min(returned.get(line.line_id, 0), line.quantity_thousandths))
        // line.quantity_thousandths
        for line in purchase.lines
        if line.quantity_thousandths > 0
    )
    paid: dict[str, int] = {}
    for tender in purchase.tenders:
        paid[tender.kind] = paid.get(tender.kind, 0) + tender.amount_minor
    return {kind: amount - amount * kept // whole for kind, amount in paid.items()} if whole else {}
