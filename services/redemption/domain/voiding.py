"""Receipts that a till voided: whose word stands, and out of which purses what a receipt took comes back. Pure."""

from dataclasses import dataclass
from datetime import datetime

from services.redemption.domain.pooling import drawn
from services.redemption.domain.redemption import Capture, Redemption
from services.redemption.domain.tender import UnusableReceiptError
from shared.events.purchases import PurchaseEvent, ReceiptVoided
from shared.receipt_key import natural_key_of, partner_of


@dataclass(frozen=True, slots=True)
class ReceiptVoid:
    """A document that says that a receipt's sale never was.

    ``total_minor`` repeats the total of the receipt that it means; None of one that was read before totals were kept.
    """

    void_key: bytes
    content_hash: str
    receipt_key: bytes
    total_minor: int | None
    traceparent: str | None = None

    def stands(self, receipt_total_minor: int | None, *, is_refused: bool) -> bool:
        """Whether the receipt is voided by it. Its word is taken while the receipt was not read (None); one that names
        another total means another receipt, and one whose document was refused says nothing."""
        unknown = self.total_minor is None or receipt_total_minor is None
        return not is_refused and (unknown or self.total_minor == receipt_total_minor)


def void_of(event: PurchaseEvent) -> ReceiptVoid | None:
    """The void that an event tells of; None where it tells of something else, or of a till in training.

    Raises:
        MalformedReceiptIdError: one of its receipt ids is not one of ours.
        UnusableReceiptError: one of them is another partner's.
    """
    if not isinstance(event, ReceiptVoided) or event.data.is_training:
        return None
    data = event.data
    void_key, receipt_key = natural_key_of(data.receipt_id), natural_key_of(data.original_receipt_id)
    if {partner_of(void_key), partner_of(receipt_key)} != {data.partner_id}:
        raise UnusableReceiptError("a void and the receipt that it undoes are its own partner's")
    return ReceiptVoid(void_key, data.content_hash, receipt_key, data.total_minor, event.traceparent)


@dataclass(frozen=True, slots=True)
class GiveBack:
    """All that is left of what a receipt took of a redemption, to be given back for a void."""

    redemption: Redemption
    capture: Capture
    captured_at: datetime
    void: ReceiptVoid

    @property
    def points(self) -> int:
        """What has not gone back before."""
        return self.capture.points - self.capture.refunded_points

    @property
    def parts(self) -> tuple[int, ...]:
        """Of ``points``: what is the member's own, what is each share's, and what was taken late, in this order.

        Receipts draw on a redemption's purses one after the other, and what is let go before comes from the last, so
        where this one began follows from what was still reserved. What was taken last comes back first: what is left is
        what was taken first.
        """
        purses = [self.redemption.own_held_points, *(share.held_points for share in self.redemption.shares)]
        taken_before = drawn(
            self.redemption.held_points - self.capture.let_go_before - self.capture.open_before, purses
        )
        open_then = [purse - taken for purse, taken in zip(purses, taken_before, strict=True)]
        taken = drawn(self.capture.points - self.capture.late_points, open_then)
        return drawn(self.points, [*taken, self.capture.late_points])
