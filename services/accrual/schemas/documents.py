"""What HTTP says of receipts: a till's document, as it is posted."""

from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.events.purchases import LineKind, SettlementKind, TenderKind
from shared.receipt_key import ReceiptKey
from shared.web.strict import (
    AwareTime,
    Body,
    CodeText,
    Flag,
    Minor,
    NonNegativeMinor,
    PositiveMinor,
    PositivePoints,
    PositiveQuantity,
    WholeNumber,
)

LINES_MAX = 500
TENDERS_MAX = 50
COUPONS_MAX = 50
PREPAID_MAX = 20
POINTS_DISCOUNTS_MAX = 10
PRIVILEGES_MAX = 1_000
BATCH_RECEIPTS_MAX = 500

ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
# A seller stands among payers of points: see services.accrual.domain.rules.funding.
SellerText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]


class IdentifierBody(Body):
    """What the till read, and how."""

    type: Literal["card", "phone", "token"]
    value: Annotated[str, Field(min_length=1, max_length=512)]
    entry_method: Literal["keyed", "swiped", "scanned"] = "scanned"


class PointsDiscountBody(Body):
    """What points of one redemption took off a line: the same as that much of a points tender."""

    redemption_id: UUID
    amount_minor: PositiveMinor


class LineBody(Body):
    """One line. ``amount_minor`` is what was paid for it: after discounts, tax included.

    ``points_discounts``, of ``discount_minor``, is what points took off the line, where the till takes them as
    discounts of lines and not as a tender: of a return, what points had paid of what came back.

    ``tax_minor`` is the tax in it. A line that names no ``kind`` is goods. ``settlement`` says of a
    purchase's line what was settled: absent is ``full``. What was only paid ahead or paid back earns nothing.
    ``seller`` is who sold it on a marketplace, where that is not the partner itself: it pays for what the line earns.
    """

    line_id: WholeNumber
    sku: CodeText
    category: ShortText | None = None
    quantity: PositiveQuantity
    unit_price_minor: Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4)] | None = None
    discount_minor: NonNegativeMinor = 0
    points_discounts: (
        Annotated[tuple[PointsDiscountBody, ...], Field(min_length=1, max_length=POINTS_DISCOUNTS_MAX)] | None
    ) = None
    amount_minor: NonNegativeMinor
    brand: ShortText | None = None
    kind: LineKind | None = None
    tax_minor: NonNegativeMinor | None = None
    settlement: SettlementKind | None = None
    seller: SellerText | None = None
    original_line_id: WholeNumber | None = None


class TenderBody(Body):
    """How a part was paid. A points tender names the redemption that its points were held by; where nothing was held,
    ``point_type`` says which points they were (absent: the programme's own).
    """

    kind: TenderKind
    amount_minor: NonNegativeMinor
    redemption_id: UUID | None = None
    point_type: CodeText | None = None


class UsedPrivilegeBody(Body):
    """A privilege that was given, as ``/v1/privileges:check`` said it: of a discount what it took off which line (the
    line's ``amount_minor`` is what was paid after that), a line at a time; of anything else its id alone.
    """

    privilege_id: CodeText
    line_id: WholeNumber | None = None
    amount_minor: NonNegativeMinor = 0


class WithheldBody(Body):
    """What was kept of a refund for ``points`` that the goods had earned and the member no longer had."""

    points: PositivePoints
    amount_minor: NonNegativeMinor


class ReceiptBody(Body):
    """A till's document: a purchase; a return that names the purchase whose lines it undoes; an exchange, which has
    ``returned_lines`` as a return has lines, and ``lines`` as a purchase; a void that names the receipt it undoes as a
    whole, with that one's ``total_minor``, and has no lines of its own; a correction that names
    the purchase that was wrong, with what that one came to (``original_total_minor``), and says all of its lines and
    tenders as they should have been. What a correction leaves out of ``channel`` and ``coupons`` stays as it was.
    Both say besides (``original_points_off_minor``) what points had taken off the lines of the receipt that they
    name, where there was such: its total is what was paid beside.

    ``total_minor`` of an exchange is its net payment: below zero where the till paid out. Tenders are positive all the
    same, and say how it was paid, either way.

    ``withheld``, of a return that names its purchase: money that was kept of the refund for points. Those are not taken
    back, and tenders are what was paid out beside.

    ``store_id`` and ``till_id`` may be left out where the key or the till's own credential says them. ``session_id`` is
    the till conversation that a checkout opened; a QR token has its own.
    """

    type: Literal["purchase", "return", "exchange", "void", "correction"] = "purchase"
    partner_id: CodeText | None = None
    store_id: CodeText | None = None
    till_id: CodeText | None = None
    key: ReceiptKey
    occurred_at: AwareTime
    operator_id: ShortText | None = None
    identifier: IdentifierBody | None = None
    session_id: UUID | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    total_minor: Minor
    lines: Annotated[tuple[LineBody, ...], Field(max_length=LINES_MAX)] = ()
    returned_lines: Annotated[tuple[LineBody, ...], Field(max_length=LINES_MAX)] | None = None
    tenders: Annotated[tuple[TenderBody, ...], Field(max_length=TENDERS_MAX)] = ()
    training: Flag = False
    channel: ShortText | None = None
    coupons: Annotated[tuple[ShortText, ...], Field(max_length=COUPONS_MAX)] | None = None
    privileges: Annotated[tuple[UsedPrivilegeBody, ...], Field(max_length=PRIVILEGES_MAX)] | None = None
    original: ReceiptKey | None = None
    original_total_minor: NonNegativeMinor | None = None
    original_points_off_minor: NonNegativeMinor | None = None
    withheld: WithheldBody | None = None
    prepaid: Annotated[tuple[ReceiptKey, ...], Field(min_length=1, max_length=PREPAID_MAX)] | None = None
    reason: ShortText | None = None


class ReceiptBatchBody(Body):
    """Many documents at once; each is judged alone, so that a bad one harms no other."""

    receipts: Annotated[list[Any], Field(min_length=1, max_length=BATCH_RECEIPTS_MAX)]
