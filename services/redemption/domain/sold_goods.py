"""What a receipt that was paid with points sold, and how its points are shared among its lines. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.redemption.domain.tender import UnusableReceiptError, paid_by
from services.redemption.domain.write_off.quoting import LineValue
from shared.events.purchases import ExchangeRecorded, PurchaseEvent, PurchaseLine, PurchaseRecorded, ReceiptCorrected
from shared.money import share_out
from shared.receipt_key import natural_key_of, partner_of


@dataclass(frozen=True, slots=True)
class SoldLine:
    """Goods on a receipt. ``payable_minor``: how much of ``amount_minor`` points may pay."""

    line_id: int
    quantity_thousandths: int
    amount_minor: int
    payable_minor: int


@dataclass(frozen=True, slots=True)
class Payment:
    """What a redemption paid of a receipt. ``line_values_minor``: of each of its lines, where a quote has said it."""

    redemption_id: UUID
    amount_minor: int
    line_values_minor: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class SoldGoods:
    """What one document says that a receipt sold, and what points paid of it.

    ``content_hash`` is the document's. A correction says it of ``receipt_key`` under its own key, ``document_key``.
    """

    receipt_key: bytes
    document_key: bytes
    content_hash: str
    occurred_at: datetime
    lines: tuple[SoldLine, ...]
    payments: tuple[Payment, ...]

    @property
    def is_correction(self) -> bool:
        """Whether it replaces what another document said."""
        return self.document_key != self.receipt_key

    def points_by_line(self, redemption_id: UUID, points: int) -> list[int]:
        """``points`` of a redemption shared among the lines, exactly: as the quote of its hold said, else in proportion
        to what points may pay of each line."""
        payment = next((one for one in self.payments if one.redemption_id == redemption_id), None)
        quoted = payment.line_values_minor if payment is not None else None
        weights = (
            quoted or (),
            [line.payable_minor for line in self.lines],
            [line.amount_minor for line in self.lines],
            [1] * len(self.lines),
        )
        return share_out(points, next(one for one in weights if any(one)))

    def stands(self, said: Sequence["SoldGoods"]) -> "SoldGoods":
        """What was sold, by what corrections have said of it since: the latest that changes nothing about what points
        paid."""
        corrections = [one for one in said if one.is_correction and self._is_paid_as(one)]
        return max(corrections, key=lambda one: (one.occurred_at, one.document_key), default=self)

    def _is_paid_as(self, other: "SoldGoods") -> bool:
        return [(one.redemption_id, one.amount_minor) for one in self.payments] == [
            (one.redemption_id, one.amount_minor) for one in other.payments
        ]


class SoldSale(NamedTuple):
    """What a document says that was sold, with the partner's own words for it."""

    goods: SoldGoods
    partner_id: str
    lines: tuple[PurchaseLine, ...]


def sold_sale_of(event: PurchaseEvent, own_type: str) -> SoldSale | None:
    """What a purchase, an exchange or a correction says that was sold. None where it says nothing of goods, nothing of
    points, or its till was in training. As yet points may pay all of each line.

    Raises:
        MalformedReceiptIdError: one of its receipt ids is not one of ours.
        UnusableReceiptError: one of them is another partner's.
    """
    if not isinstance(event, PurchaseRecorded | ExchangeRecorded | ReceiptCorrected) or event.data.is_training:
        return None
    data = event.data
    if isinstance(event, ExchangeRecorded) and data.total_minor < 0:  # it paid out
        return None
    receipt_id = event.data.original_receipt_id if isinstance(event, ReceiptCorrected) else data.receipt_id
    amounts_minor, _ = paid_by(receipt_id, data.tenders, own_type)
    payments = tuple(Payment(one, amount) for one, amount in sorted(amounts_minor.items()) if amount > 0)
    if not payments:
        return None
    receipt_key, document_key = natural_key_of(receipt_id), natural_key_of(data.receipt_id)
    if {partner_of(receipt_key), partner_of(document_key)} != {data.partner_id}:
        raise UnusableReceiptError("a document and the receipt that it is about are its own partner's")
    lines = tuple(
        SoldLine(line.line_id, line.quantity_thousandths, line.amount_minor, line.amount_minor) for line in data.lines
    )
    goods = SoldGoods(receipt_key, document_key, data.content_hash, data.occurred_at, lines, payments)
    return SoldSale(goods, data.partner_id, data.lines)


def weighed(goods: SoldGoods, payable_minor: Sequence[int]) -> SoldGoods:
    """The same, knowing how much of each line points may pay."""
    lines = zip(goods.lines, payable_minor, strict=True)
    return replace(goods, lines=tuple(replace(line, payable_minor=minor) for line, minor in lines))


def as_quoted(goods: SoldGoods, quoted: Callable[[UUID], Sequence[LineValue] | None]) -> SoldGoods:
    """The same, with the values of the quotes of its redemptions where the receipt sells the lines that were quoted."""
    return replace(goods, payments=tuple(_quoted(goods, one, quoted(one.redemption_id)) for one in goods.payments))


def _quoted(goods: SoldGoods, payment: Payment, quoted: Sequence[LineValue] | None) -> Payment:
    if quoted is None:
        return payment
    values = {one.line_id: one.value_minor for one in quoted if one.value_minor}
    sold = {line.line_id: line.amount_minor for line in goods.lines}
    if any(value > sold.get(line_id, 0) for line_id, value in values.items()):  # other goods than the till had said
        return payment
    return replace(payment, line_values_minor=tuple(values.get(line.line_id, 0) for line in goods.lines))
