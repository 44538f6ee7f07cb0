"""The points tenders of a receipt: how much of it was paid with points, and by which redemption."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from uuid import UUID, uuid5

from services.redemption.domain.goods import CATEGORIES_MAX, Goods
from services.redemption.domain.redemption import Redemption
from shared.events.purchases import ExchangeRecorded, PurchaseEvent, PurchaseRecorded, Tender
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

    ``is_priced`` is false where the receipt is in a currency, or says a point type, that the programme gives no points
    for. ``goods`` are those of the whole receipt. ``points`` are of ``point_type``, as the receipt says it (None: the
    programme's own); where the hold was of another type, they are what ``amount_minor`` costs in that one.
    ``total_minor`` is the whole receipt's; None of one that waited, whose receipt is known by now.
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
    amount_minor: int | None = None  # None: kept while it waited, from before there were other types to spend
    point_type: str | None = None

    def priced_as(self, redemption: Redemption, pricing: "Pricing") -> "PointsTender":
        """The tender in points as its redemption takes them: at the price that was quoted, else of the type in which it
        is paid. A part of a point is a whole one."""
        said = self.point_type or pricing.own_type
        if self.amount_minor is None:
            return self
        if redemption.value_minor is not None:
            points = -(-self.amount_minor * redemption.held_points // redemption.value_minor)
            return replace(self, points=points)
        if redemption.point_type == said or not pricing.takes(redemption.point_type):
            return self
        return replace(self, points=pricing.points_for(self.amount_minor, redemption.point_type))

    def priced_after(self, redemption: Redemption, pricing: "Pricing", before: Sequence["PaidPart"]) -> "PointsTender":
        """The same, ``before`` being what receipts have taken of the redemption so far: together they take what pays
        all of their amounts, so that what each was rounded up by is not taken again and again. Where HTTP took
        something else than a receipt said, nothing was rounded, and a person is told: that one does not count."""
        alone = self.priced_as(redemption, pricing)
        before = [part for part in before if self._is_price(part, redemption, pricing)]
        amounts_minor = [self.amount_minor, *(part.amount_minor for part in before)]
        known_minor = [amount for amount in amounts_minor if amount is not None]
        if not before or len(known_minor) < len(amounts_minor):
            return alone
        together = self._of_amount(sum(known_minor), redemption, pricing)
        left = together.points - sum(part.points for part in before)
        return replace(alone, points=min(alone.points, max(1, alone.points - 1, left)))

    def _of_amount(self, amount_minor: int, redemption: Redemption, pricing: "Pricing") -> "PointsTender":
        points = pricing.points_for(amount_minor, self.point_type or pricing.own_type)
        return replace(self, amount_minor=amount_minor, points=points).priced_as(redemption, pricing)

    def _is_price(self, part: "PaidPart", redemption: Redemption, pricing: "Pricing") -> bool:
        """Whether a part took what its amount costs, or a point less, as far as its amount is known."""
        if part.amount_minor is None:
            return True
        return self._of_amount(part.amount_minor, redemption, pricing).points - part.points in (0, 1)


class PaidPart(NamedTuple):
    """What a receipt took of a redemption that is taken in parts, and what it paid with that, as far as it was read."""

    points: int
    amount_minor: int | None


@dataclass(frozen=True, slots=True)
class Pricing:
    """What points are worth at a till where nothing was quoted: ``own_points`` of the programme's own type pay
    ``minor_per_point`` minor units of ``currency``; of ``others`` one pays as many as these say.
    """

    currency: str
    minor_per_point: int
    own_type: str = "points"
    others: Mapping[str, int] = field(default_factory=dict)
    own_points: int = 1

    def takes(self, point_type: str) -> bool:
        """Whether points of this type pay at all."""
        return point_type == self.own_type or point_type in self.others

    def points_for(self, amount_minor: int, point_type: str | None = None) -> int:
        """The points that pay an amount, of the programme's own type unless another is named. A part of a point is not
        spendable, so the till took a whole one."""
        other = self.others.get(point_type or self.own_type)
        if other is not None:
            return -(-amount_minor // other)
        return -(-amount_minor * self.own_points // self.minor_per_point)

    def minor_for(self, points: int, point_type: str) -> int:
        """What so many points pay."""
        other = self.others.get(point_type)
        return points * other if other is not None else points * self.minor_per_point // self.own_points

    def points_at_most(self, amount_minor: int) -> int:
        """The points that pay an amount, of the type of which it takes most: a hold may turn out to be of any."""
        return max(self.points_for(amount_minor, point_type) for point_type in (self.own_type, *self.others))


def points_tenders(event: PurchaseEvent, pricing: Pricing) -> tuple[PointsTender, ...]:
    """The points tenders of a receipt, one a redemption, in the receipt's order; amounts of one are added up.

    A redemption is of one point type, the first that is named; tenders that name no redemption are one a type.

    Of an exchange they are those of its net payment, if the member paid it. A return gives no tender here, nor does an
    exchange that pays out, nor a training receipt. A redemption whose amounts add up to nothing or less
    took nothing.

    Raises:
        MalformedReceiptIdError: the event's receipt id is not one of ours.
        UnusableReceiptError: the id is another partner's, or a redemption paid more than ``TENDER_POINTS_MAX``.
    """
    if not isinstance(event, PurchaseRecorded | ExchangeRecorded) or event.data.is_training:
        return ()
    receipt = event.data
    if isinstance(event, ExchangeRecorded) and receipt.total_minor < 0:
        return ()
    receipt_key = natural_key_of(receipt.receipt_id)
    if partner_of(receipt_key) != receipt.partner_id:
        raise UnusableReceiptError("the receipt id is another partner's")
    amounts_minor, types = paid_by(receipt.receipt_id, receipt.tenders, pricing.own_type)
    if any(pricing.points_at_most(amount_minor) > TENDER_POINTS_MAX for amount_minor in amounts_minor.values()):
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
            points=pricing.points_for(amount_minor, types[redemption_id]),
            is_priced=receipt.currency == pricing.currency and pricing.takes(types[redemption_id] or pricing.own_type),
            traceparent=event.traceparent,
            goods=goods,
            total_minor=receipt.total_minor,
            amount_minor=amount_minor,
            point_type=types[redemption_id],
        )
        for redemption_id, amount_minor in amounts_minor.items()
        if amount_minor > 0
    )


def paid_by(
    receipt_id: str, tenders: Iterable[Tender], own_type: str
) -> tuple[dict[UUID, int], dict[UUID, str | None]]:
    """What each redemption paid of a receipt, in minor units, and of which type its points are said to be."""
    amounts_minor: dict[UUID, int] = {}
    types: dict[UUID, str | None] = {}
    for tender in tenders:
        if tender.kind == "points":
            point_type = None if tender.point_type == own_type else tender.point_type
            redemption_id = tender.redemption_id or _unnamed(receipt_id, point_type)
            amounts_minor[redemption_id] = amounts_minor.get(redemption_id, 0) + tender.amount_minor
            types[redemption_id] = types.get(redemption_id) or point_type
    return amounts_minor, types


def _unnamed(receipt_id: str, point_type: str | None) -> UUID:
    return uuid5(_UNNAMED, receipt_id if point_type is None else f"{receipt_id}\n{point_type}")
