"""What HTTP says of receipts: what became of a till's document."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from services.accrual.schemas.fields import Answer


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
    points were to be taken besides, and were not there: nobody owes them; for those ``withheld`` money was kept of the
    refund, and they are the member's. ``given_back`` is what the void of an
    exchange gave again of what that had taken, and the void of a handover to those in which its goods were paid ahead;
    ``voided_by`` is the receipt id of the void of this exchange.
    """

    cause: Literal["return", "void", "exchange", "handover"]
    member_id: UUID
    original_receipt_id: str
    points: int
    became_debt: int
    clipped: int
    withheld: int | None = None
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
