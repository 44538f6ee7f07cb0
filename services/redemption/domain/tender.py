"""The points tenders of a receipt: how much of it was paid with points, and by which redemption."""

from dataclasses import dataclass
from uuid import UUID, uuid5

from services.redemption.domain.goods import CATEGORIES_MAX, Goods
from shared.events.purchases import PurchaseEvent, PurchaseRecorded
from shared.receipt_key import natural_key_of, partner_of

# More than any receipt can cost: an amount beyond it was not meant.
TENDER_POINTS_MAX = 10**15

# A fixed name space: a tender that names no redemption has one of its own, the same whenever its receipt is read.
_UNNAMED = UUID("0b6f0a52-6d6e-5b0a-9a55-2f4b6f1f7c11")


class UnusableReceiptError(ValueError):
    """The receipt contradicts itself, or says that it was paid with more points than there can be."""


@dataclass(frozen=True, slots=True)
class PointsTender:
    """What one receipt paid with one redemption. ``points`` is positive.

    ``is_priced`` is false where the receipt is in a currency that the programme gives no points for. ``goods`` are
    those of the whole receipt, and so is ``total_minor``; None of one that waited, whose receipt is known by now.
    """

    receipt_key: bytes
    content_hash: str
    redemption_id: UUID
    partner_id: str
    member_id: UUID | None
    identifier_hash: str | None
    points: int
    is_priced: bool
    traceparent: str | None
    goods: Goods | None = None
    total_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Pricing:
    """What a point is worth at a till: ``minor_per_point`` minor units of ``currency``."""

    currency: str
    minor_per_point: int

    def points_for(self, amount_minor: int) -> int:
        """The points that pay an amount. A part of a point is not spendable, so the till took a whole one."""
        return -(-amount_minor // self.minor_per_point)


def points_tenders(event: PurchaseEvent, pricing: Pricing) -> tuple[PointsTender, ...]:
    """The points tenders of a receipt, one a redemption, in the receipt's order; amounts of one are added up.

    A return gives no tender here, nor does a training receipt. A redemption whose amounts add up to nothing or less
    took nothing.

    Raises:
        MalformedReceiptIdError: the event's receipt id is not one of ours.
        UnusableReceiptError: the id is another partner's, or a redemption paid more than ``TENDER_POINTS_MAX``.
    """
    if not isinstance(event, PurchaseRecorded) or event.data.is_training:
        return ()
    receipt = event.data
    receipt_key = natural_key_of(receipt.receipt_id)
    if partner_of(receipt_key) != receipt.partner_id:
        raise UnusableReceiptError("the receipt id is another partner's")
    amounts_minor: dict[UUID, int] = {}
    for tender in receipt.tenders:
        if tender.kind == "points":
            redemption_id = tender.redemption_id or uuid5(_UNNAMED, receipt.receipt_id)
            amounts_minor[redemption_id] = amounts_minor.get(redemption_id, 0) + tender.amount_minor
    if any(pricing.points_for(amount_minor) > TENDER_POINTS_MAX for amount_minor in amounts_minor.values()):
        raise UnusableReceiptError(f"a points tender is worth {TENDER_POINTS_MAX} points at most")
    named = dict.fromkeys(line.category for line in receipt.lines if line.category is not None)
    goods = Goods(receipt.occurred_at, receipt.store_id, frozenset(list(named)[:CATEGORIES_MAX]))
    return tuple(
        PointsTender(
            receipt_key=receipt_key,
            content_hash=receipt.content_hash,
            redemption_id=redemption_id,
            partner_id=receipt.partner_id,
            member_id=receipt.member_id,
            identifier_hash=receipt.identifier_hash,
            points=pricing.points_for(amount_minor),
            is_priced=receipt.currency == pricing.currency,
            traceparent=event.traceparent,
            goods=goods,
            total_minor=receipt.total_minor,
        )
        for redemption_id, amount_minor in amounts_minor.items()
        if amount_minor > 0
    )
