"""A till's document as an event. Pure."""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.accrual.domain.purchase_event import purchase_event_id
from services.accrual.schemas.documents import LineBody, TenderBody
from services.accrual.use_cases.points_discounts import points_off, tenders_of
from services.accrual.use_cases.read_document import Submission
from shared.events.purchases import (
    CorrectionData,
    ExchangeData,
    ExchangeRecorded,
    PurchaseData,
    PurchaseEvent,
    PurchaseLine,
    PurchaseRecorded,
    ReceiptCorrected,
    ReceiptVoided,
    ReturnData,
    ReturnLine,
    ReturnRecorded,
    Tender,
    UsedPrivilege,
    VoidData,
    Withheld,
)
from shared.ids import IdentifierKey, IdentifierType, hash_identifier
from shared.receipt_key import SequenceKey, encode_receipt_key, receipt_id_of
from shared.telemetry.trace_context import current_traceparent

SOURCE = "accrual"


def to_event(
    submission: Submission, member_id: UUID | None, received_at: datetime, operator_key: IdentifierKey
) -> PurchaseEvent:
    """The document as an event. The same document of the same member gives the same event id."""
    body = submission.body
    operator = None
    if body.operator_id is not None:
        name = f"{submission.partner_id}/{body.operator_id}"
        operator = hash_identifier(IdentifierType.OPERATOR, name, operator_key)
    shared_fields: dict[str, Any] = {
        "receipt_id": submission.receipt_id,
        "content_hash": submission.content_hash,
        "partner_id": submission.partner_id,
        "store_id": submission.store_id,
        "till_id": submission.till_id,
        "shift": body.key.shift if isinstance(body.key, SequenceKey) else None,
        "operator_hash": operator,
        "member_id": member_id,
        "identifier_hash": submission.identifier_hash,
        "session_id": submission.session_id,
        "entry_method": body.identifier.entry_method if body.identifier is not None else None,
        "occurred_at": body.occurred_at,
        "received_at": received_at,
        "currency": body.currency,
        "total_minor": body.total_minor + sum([points_off(line) for line in body.lines]),
        "tenders": (*(_tender(tender) for tender in body.tenders), *tenders_of(body.lines)),
        "is_training": body.training,
        "channel": body.channel,
        "coupons": body.coupons,
    }
    envelope: dict[str, Any] = {
        "id": purchase_event_id(submission.receipt_id, submission.content_hash, member_id),
        "source": SOURCE,
        "subject": submission.receipt_id,
        "time": received_at,
        "traceparent": current_traceparent(),
    }
    original = encode_receipt_key(submission.partner_id, body.original) if body.original is not None else None
    undone = {"reason": body.reason, "original_receipt_id": receipt_id_of(original) if original is not None else None}
    match body.type:
        case "purchase":
            lines = tuple(PurchaseLine(**_line(line)) for line in body.lines)
            besides = {"prepaid_receipt_ids": _prepaid(submission), "privileges": _privileges(submission)}
            return PurchaseRecorded(**envelope, data=PurchaseData(**shared_fields, lines=lines, **besides))
        case "return":
            returned = tuple(ReturnLine(**_line(line), original_line_id=line.original_line_id) for line in body.lines)
            kept = None if body.withheld is None else Withheld(**body.withheld.model_dump())
            data = ReturnData(**shared_fields, **undone, lines=returned, withheld=kept)
            return ReturnRecorded(**envelope, data=data)
        case "exchange":
            lines = tuple(PurchaseLine(**_line(line)) for line in body.lines)
            returned = tuple(
                ReturnLine(**_line(line), original_line_id=line.original_line_id) for line in body.returned_lines or ()
            )
            said = {**shared_fields, **undone, "privileges": _privileges(submission)}
            exchanged = ExchangeData(**said, lines=lines, returned_lines=returned)
            return ExchangeRecorded(**envelope, data=exchanged)
        case "void":
            total_minor = body.total_minor + (body.original_points_off_minor or 0)
            return ReceiptVoided(**envelope, data=VoidData(**{**shared_fields, **undone, "total_minor": total_minor}))
        case "correction":
            lines = tuple(PurchaseLine(**_line(line)) for line in body.lines)
            first_minor = (body.original_total_minor or 0) + (body.original_points_off_minor or 0)
            said = {**shared_fields, **undone, "original_total_minor": first_minor, "lines": lines}
            return ReceiptCorrected(**envelope, data=CorrectionData(**said))


def _tender(tender: TenderBody) -> Tender:
    return Tender(
        kind=tender.kind,
        amount_minor=tender.amount_minor,
        redemption_id=tender.redemption_id,
        point_type=tender.point_type,
    )


def _line(line: LineBody) -> dict[str, Any]:
    by_points_minor = points_off(line)
    return {
        "line_id": line.line_id,
        "sku": line.sku,
        "category": line.category,
        "quantity_thousandths": int(line.quantity * 1000),
        "amount_minor": line.amount_minor + by_points_minor,
        "brand": line.brand,
        "kind": line.kind,
        "tax_minor": line.tax_minor,
        "discount_minor": (line.discount_minor - by_points_minor) or None,
        "settlement": line.settlement,
        "seller": line.seller,
    }


def _prepaid(submission: Submission) -> tuple[str, ...] | None:
    """The receipts in which a purchase was paid ahead; they are its partner's own."""
    named = submission.body.prepaid
    if named is None:
        return None
    return tuple(receipt_id_of(encode_receipt_key(submission.partner_id, key)) for key in named)


def _privileges(submission: Submission) -> tuple[UsedPrivilege, ...] | None:
    said = submission.body.privileges
    return None if not said else tuple(UsedPrivilege(**one.model_dump()) for one in said)
