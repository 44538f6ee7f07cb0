"""``loyalty.purchases``: what tills posted. Keyed by member, else by identifier hash, else by till."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StrictBool, StrictInt

from shared.events.envelope import Code, Event, Frozen, IdentifierHash, Minor, ReceiptId

TenderKind = Literal["cash", "card", "points", "gift", "prepaid", "credit"]


LineKind = Literal["goods", "delivery", "deposit"]

# Prepayment: paid for goods that come later; advance: paid for what is not known yet (a gift card); full: handed over
# and paid, whenever that was; credit: handed over, to be paid later; repayment: for what was handed over on credit.
SettlementKind = Literal["prepayment", "advance", "full", "credit", "repayment"]


class PurchaseLine(Frozen):
    """One line of a receipt. ``amount_minor`` is what was paid for it: after discounts, tax included.

    ``tax_minor`` is the tax in it, ``discount_minor`` what was taken off before; absent where the till does not say.
    Without a ``settlement`` the goods were handed over and paid.
    ``seller`` is who sold it on a marketplace, where that is not the partner itself.
    """

    line_id: StrictInt
    sku: Code
    category: Code | None = None
    quantity_thousandths: StrictInt
    amount_minor: Minor
    brand: Code | None = None
    kind: LineKind | None = None
    tax_minor: Minor | None = None
    discount_minor: Minor | None = None
    settlement: SettlementKind | None = None
    seller: Code | None = None


class ReturnLine(PurchaseLine):
    """Goods that came back; amounts and quantities are positive."""

    original_line_id: StrictInt


class Tender(Frozen):
    """How a part was paid. A points tender names its redemption and is never part of the earning base; without a
    ``point_type`` it is of the hold's, or the programme's own.
    """

    kind: TenderKind
    amount_minor: Minor
    redemption_id: UUID | None = None
    point_type: Code | None = None


class UsedPrivilege(Frozen):
    """A privilege that the till gave the member: of a discount what it took off a line, which ``amount_minor`` of the
    line is after; of anything else no line and zero.
    """

    privilege_id: Code
    line_id: StrictInt | None = None
    amount_minor: Minor = 0


class ReceiptData(Frozen):
    """What purchases and returns share. ``content_hash`` (hex) tells documents of one key apart; it is keyed.
    ``session_id`` is the till conversation: of a QR token, whose member is ``member_id``, or of a checkout. ``channel``
    and ``coupons`` are codes of the programme, as the till says them. ``claimed_at``: it named nobody, and was claimed
    for its member then.
    """

    receipt_id: ReceiptId
    content_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    partner_id: Code
    store_id: Code
    till_id: Code
    shift: StrictInt | None = None
    operator_hash: IdentifierHash | None = None
    member_id: UUID | None = None
    identifier_hash: IdentifierHash | None = None
    entry_method: Literal["keyed", "swiped", "scanned"] | None = None
    session_id: UUID | None = None
    occurred_at: AwareDatetime
    received_at: AwareDatetime
    currency: Annotated[str, Field(min_length=3, max_length=3)]
    total_minor: Minor
    tenders: tuple[Tender, ...] = ()
    is_training: StrictBool = False
    channel: Code | None = None
    coupons: tuple[Code, ...] | None = None
    claimed_at: AwareDatetime | None = None


class PurchaseData(ReceiptData):
    """Goods sold. ``prepaid_receipt_ids`` are the receipts in which these goods were paid ahead, ``privileges`` what
    the member was entitled to and got."""

    lines: tuple[PurchaseLine, ...]
    prepaid_receipt_ids: tuple[ReceiptId, ...] | None = None
    privileges: tuple[UsedPrivilege, ...] | None = None


class Withheld(Frozen):
    """What a till kept of a refund for ``points`` that the goods had earned and the member no longer had."""

    points: Annotated[StrictInt, Field(gt=0)]
    amount_minor: Minor


class ReturnData(ReceiptData):
    """Goods that came back. Without ``original_receipt_id`` the till could not say what they were bought with.
    ``withheld`` of the refund was kept for points, which are the member's for good.
    """

    original_receipt_id: ReceiptId | None = None
    reason: Code | None = None
    lines: tuple[ReturnLine, ...]
    withheld: Withheld | None = None


class VoidData(ReceiptData):
    """A whole receipt is undone, ``original_receipt_id``. ``total_minor`` repeats that receipt's own total."""

    original_receipt_id: ReceiptId
    reason: Code | None = None


class CorrectionData(ReceiptData):
    """What a receipt, ``original_receipt_id``, should have said.

    ``lines``, total and tenders are all of it as it should have been; where ``channel`` or ``coupons`` are absent they
    stay as they were. ``original_total_minor`` repeats what the wrong document came to.
    """

    original_receipt_id: ReceiptId
    original_total_minor: Minor
    reason: Code | None = None
    lines: tuple[PurchaseLine, ...]


class ExchangeData(ReceiptData):
    """Goods that came back, ``returned_lines``, each with its line of ``original_receipt_id``, and goods that were
    taken in their stead, ``lines``. ``total_minor`` is the one net payment; below zero the till paid it out. Tenders
    are positive and say how it was paid, either way. ``privileges`` are of ``lines``.
    """

    original_receipt_id: ReceiptId
    reason: Code | None = None
    lines: tuple[PurchaseLine, ...]
    returned_lines: tuple[ReturnLine, ...]
    privileges: tuple[UsedPrivilege, ...] | None = None


class PurchaseRecorded(Event):
    """A till sold something. Its id follows from natural key, content and member: a till's retry is the same event."""

    type: Literal["loyalty.purchase.recorded.v1"] = "loyalty.purchase.recorded.v1"
    data: PurchaseData


class ReturnRecorded(Event):
    """A till took goods back."""

    type: Literal["loyalty.return.recorded.v1"] = "loyalty.return.recorded.v1"
    data: ReturnData


class ExchangeRecorded(Event):
    """A till took goods back and handed others over, with one net payment."""

    type: Literal["loyalty.exchange.recorded.v1"] = "loyalty.exchange.recorded.v1"
    data: ExchangeData


class ReceiptVoided(Event):
    """A till undid a whole receipt: the sale never was."""

    type: Literal["loyalty.receipt.voided.v1"] = "loyalty.receipt.voided.v1"
    data: VoidData


class ReceiptCorrected(Event):
    """A till said what an earlier document should have said. It sells nothing, and nothing comes back."""

    type: Literal["loyalty.receipt.corrected.v1"] = "loyalty.receipt.corrected.v1"
    data: CorrectionData


PurchaseEvent = Annotated[
    PurchaseRecorded | ReturnRecorded | ExchangeRecorded | ReceiptVoided | ReceiptCorrected,
    Field(discriminator="type"),
]
# The same for whoever asks what an event is.
DOCUMENT_EVENTS = (PurchaseRecorded, ReturnRecorded, ExchangeRecorded, ReceiptVoided, ReceiptCorrected)
