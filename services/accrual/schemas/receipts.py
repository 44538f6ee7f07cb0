"""What HTTP says of receipts: a till's document, and what became of it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from services.accrual.schemas.fields import Answer
from shared.events.purchases import LineKind, SettlementKind, TenderKind
from shared.receipt_key import ReceiptKey
from shared.web.strict import AwareTime, Body, CodeText, Flag, Minor, NonNegativeMinor, PositiveMinor, WholeNumber

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
Quantity = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=3, description="At most three decimals.")]


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
    quantity: Quantity
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
    prepaid: Annotated[tuple[ReceiptKey, ...], Field(min_length=1, max_length=PREPAID_MAX)] | None = None
    reason: ShortText | None = None


class ReceiptBatchBody(Body):
    """Many documents at once; each is judged alone, so that a bad one harms no other."""

    receipts: Annotated[list[Any], Field(min_length=1, max_length=BATCH_RECEIPTS_MAX)]


class BalanceAnswer(Answer):
    """The member's points after the award."""

    available: int
    pending: int
    debt: int


ReceiptStatus = Literal["accepted", "awaiting", "parked", "awarded", "refused", "failed"]


class ReceiptAccepted(Answer):
    """The receipt is safe; ``status_url`` says what becomes of it. Points and balance where the award was awaited."""

    receipt_id: str
    status: ReceiptStatus
    status_url: str
    points: int | None = None
    point_type: str | None = None
    balance: BalanceAnswer | None = None


class BatchItemAnswer(Answer):
    """One document's result: what POST /v1/receipts would have answered for it alone."""

    status_code: int
    receipt: ReceiptAccepted | None = None
    problem: dict[str, Any] | None = None


class ReceiptBatchAnswer(Answer):
    """One result a document, in the order of the request."""

    results: list[BatchItemAnswer]


class TrimAnswer(Answer):
    """A cap that left a rule less."""

    cap: str
    from_points: int
    to_points: int


class OutcomeAnswer(Answer):
    """What one rule made of the receipt. ``capped``: it was applied, and caps left ``points`` of what it gave.

    ``lost``: another rule of its group won; ``points`` are what it would have given, where both were weighed.
    """

    rule_id: str
    outcome: Literal["applied", "capped", "lost", "not_matched"]
    points: int | None = None
    amount_minor: int | None = None
    trimmed_by: list[TrimAnswer] | None = None
    won_by: str | None = None
    predicate: str | None = None
    required: str | None = None
    observed: str | None = None


class AwardPartAnswer(Answer):
    """Points of an award that share their type and terms.

    ``pending`` until ``waits_until``, or until ``waits_for`` is told before that day; ``held``: released but for a hold
    of fraud's; ``lapsed``: waited for in vain. ``expires_on``: the first day on which they may no longer be spent.
    ``paid_by``: their payers, where others pay than the partner; ``usable``: on what they may be spent alone.
    """

    point_type: str
    points: int
    taken_back: int
    state: Literal["earned", "pending", "held", "released", "lapsed"]
    waits_until: date | None = None
    waits_for: str | None = None
    expires_on: date | None = None
    paid_by: list[str] | None = None
    usable: str | None = None


class AwardAnswer(Answer):
    """What the receipt earned. ``on_hold`` is set aside until ``hold_ends_at`` or a person's decision.

    ``points`` are the programme's own; ``parts`` say more, where there are other types or terms.

    ``mapping_version`` says by which version of the partner's mapping its categories were read, and which of its
    articles earned nothing; 0: categories as themselves, and no article excluded. ``voided_by`` is the receipt id of
    the document that undid all of it, ``corrected_by`` that of the correction by which it stands.
    """

    member_id: UUID
    point_type: str
    points: int
    taken_back: int
    rule_set_version: int
    mapping_version: int
    decided_at: datetime
    parts: list[AwardPartAnswer] | None = None
    hold_reason: str | None = None
    hold_ends_at: datetime | None = None
    voided_by: str | None = None
    corrected_by: str | None = None


class ReturnPartAnswer(Answer):
    """What the document took of points that share their type and terms, and how much of it is owed."""

    point_type: str
    points: int
    became_debt: int


class ReturnAnswer(Answer):
    """What the document took back: ``cause`` says whether goods came back, came back for others, or the whole receipt
    was voided.

    ``points`` are the programme's own; ``parts`` say more, where the receipt had other types or terms. ``clipped``
    points were to be taken besides, and were not there: nobody owes them. ``given_back`` is what the void of an
    exchange gave again of what that had taken, and the void of a handover to those in which its goods were paid ahead;
    ``voided_by`` is the receipt id of the void of this exchange.
    """

    cause: Literal["return", "void", "exchange", "handover"]
    member_id: UUID
    original_receipt_id: str
    points: int
    became_debt: int
    clipped: int
    given_back: int | None = None
    voided_by: str | None = None
    parts: list[ReturnPartAnswer] | None = None


class UnlinkedAnswer(Answer):
    """What became of a return that names no purchase: by the rules of its own time, or by two people who looked at it.

    ``clipped`` points were to be taken besides, and were not there: nobody owes them.
    """

    state: Literal["ignored", "taken_back", "dismissed"]
    member_id: UUID | None = None
    rule_set_version: int | None = None
    points: int
    became_debt: int
    clipped: int


class RuleAnswer(Answer):
    """What a rule gave."""

    rule_id: str
    points: int


class StandAnswer(Answer):
    """What a receipt came to, what it earned in all, and by which rules."""

    total_minor: int
    points: int
    rules: list[RuleAnswer]


class CorrectionAnswer(Answer):
    """What a correction made of a receipt: how that stood ``before`` and ``after`` it.

    ``points_moved`` were given, or below zero taken back, of the programme's own: by as much what is left changed. Of
    what was taken ``became_debt`` is owed, and ``clipped`` was not there besides: nobody owes it.
    """

    receipt_id: str
    original_receipt_id: str
    member_id: UUID
    reason: str | None = None
    occurred_at: datetime
    decided_at: datetime
    before: StandAnswer
    after: StandAnswer
    points_moved: int
    became_debt: int
    clipped: int


class RefusalAnswer(Answer):
    """A document of this key that was refused: the whole receipt, or one with other contents than the first."""

    content_hash: str
    reason: str
    detail: str
    refused_at: datetime


class ReceiptAnswer(Answer):
    """A receipt's status with everything that led to it.

    ``corrections`` are those of this receipt, the first first: award and trace are as the last one left it. Of a
    document that is a correction, ``correction`` says what it changed.
    """

    receipt_id: str
    status: ReceiptStatus
    waits_because: str | None = None
    award: AwardAnswer | None = None
    returned: ReturnAnswer | None = None
    unlinked: UnlinkedAnswer | None = None
    correction: CorrectionAnswer | None = None
    corrections: list[CorrectionAnswer] | None = None
    trace: list[OutcomeAnswer] | None = None
    trace_in_words: list[str] | None = None
    refusals: list[RefusalAnswer] = Field(default_factory=list)
