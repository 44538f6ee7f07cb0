"""Receipts that a till voided, and whose word stands. Pure."""

from dataclasses import dataclass

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

    @property
    def undone_by(self) -> bytes:
        """The document that undoes."""
        return self.void_key

    @property
    def cause(self) -> str:
        """Why points go back."""
        return "void"

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
