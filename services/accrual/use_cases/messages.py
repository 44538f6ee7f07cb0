"""The events that accrual publishes, each with the topic and the key it travels under."""

from uuid import UUID

from services.accrual.domain.decisions import Awarded, ClawedBack, Document
from services.accrual.domain.purchase_event import partition_key
from services.accrual.repository.fraud_holds import FraudHold
from shared.database import Transaction
from shared.events.catalogue import POINTS, PURCHASES
from shared.events.points import (
    AwardData,
    Balance,
    ClawBackData,
    PendingData,
    PointsClawedBack,
    PointsEarned,
    PointsPending,
    PointsReleased,
    ReceiptRefused,
    RefusalData,
    ReleaseData,
    RulePoints,
)
from shared.events.purchases import PurchaseRecorded, ReturnRecorded
from shared.ids import new_id
from shared.ledger import Balances, Posted
from shared.outbox import Message
from shared.receipt_key import receipt_id_of
from shared.telemetry.trace_context import child_traceparent, current_traceparent

SOURCE = "accrual"


def purchase_message(event: PurchaseRecorded | ReturnRecorded) -> Message:
    """A document on its way (back) to ``loyalty.purchases``; ``points_tender`` lets readers skip it undecoded."""
    has_points_tender = any(tender.kind == "points" for tender in event.data.tenders)
    header = ("points_tender", b"1" if has_points_tender else b"0")
    return Message.of(event, PURCHASES.topic, partition_key(event), (header,))


def earned_message(transaction: Transaction, awarded: Awarded, posted: Posted) -> Message:
    """A purchase was awarded."""
    data = awarded.document.event.data
    event = PointsEarned(
        id=new_id(),
        source=SOURCE,
        subject=str(awarded.owner_id),
        time=transaction.now,
        traceparent=child_traceparent(awarded.document.event.traceparent),
        data=AwardData(
            member_id=awarded.owner_id,
            receipt_id=data.receipt_id,
            partner_id=data.partner_id,
            point_type=posted.command.point_type,
            points=posted.points,
            debt_cleared=posted.debt_cleared,
            by_rule=tuple(RulePoints(rule_id=rule.rule_id, points=rule.points) for rule in awarded.evaluation.applied),
            rule_set_version=awarded.evaluation.rule_set_version,
            occurred_at=data.occurred_at,
            balance=_balance(posted.balance),
        ),
    )
    return Message.of(event, POINTS.topic, str(awarded.owner_id))


def clawed_back_message(transaction: Transaction, clawed_back: ClawedBack, posted: Posted) -> Message:
    """A return took points back."""
    data = clawed_back.document.event.data
    event = PointsClawedBack(
        id=new_id(),
        source=SOURCE,
        subject=str(clawed_back.owner_id),
        time=transaction.now,
        traceparent=child_traceparent(clawed_back.document.event.traceparent),
        data=ClawBackData(
            member_id=clawed_back.owner_id,
            receipt_id=data.receipt_id,
            original_receipt_id=receipt_id_of(clawed_back.original_key),
            partner_id=data.partner_id,
            point_type=posted.command.point_type,
            points=posted.points,
            became_debt=posted.debt_added - posted.debt_cleared,
            balance=_balance(posted.balance),
        ),
    )
    return Message.of(event, POINTS.topic, str(clawed_back.owner_id))


def pending_message(transaction: Transaction, hold: FraudHold, posted: Posted, traceparent: str | None) -> Message:
    """What was left of an award was set aside for fraud."""
    event = PointsPending(
        id=new_id(),
        source=SOURCE,
        subject=str(posted.command.owner_id),
        time=transaction.now,
        traceparent=child_traceparent(traceparent),
        data=PendingData(
            member_id=posted.command.owner_id,
            receipt_id=receipt_id_of(hold.natural_key),
            point_type=posted.command.point_type,
            points=posted.points,
            shortfall=posted.shortfall,
            reason=hold.rule_code,
            ends_at=hold.ends_at,
            balance=_balance(posted.balance),
        ),
    )
    return Message.of(event, POINTS.topic, str(posted.command.owner_id))


def released_message(transaction: Transaction, natural_key: bytes, reason: str, posted: Posted) -> Message:
    """What was set aside can be spent again."""
    event = PointsReleased(
        id=new_id(),
        source=SOURCE,
        subject=str(posted.command.owner_id),
        time=transaction.now,
        traceparent=child_traceparent(current_traceparent()),
        data=ReleaseData(
            member_id=posted.command.owner_id,
            receipt_id=receipt_id_of(natural_key),
            point_type=posted.command.point_type,
            points=posted.points,
            reason=reason,
            balance=_balance(posted.balance),
        ),
    )
    return Message.of(event, POINTS.topic, str(posted.command.owner_id))


def refusal_message(
    transaction: Transaction, document: Document, owner_id: UUID | None, reason: str, detail: str
) -> Message:
    """A document was refused for good."""
    data = document.event.data
    event = ReceiptRefused(
        id=new_id(),
        source=SOURCE,
        subject=data.receipt_id,
        time=transaction.now,
        traceparent=child_traceparent(document.event.traceparent),
        data=RefusalData(
            receipt_id=data.receipt_id,
            content_hash=data.content_hash,
            member_id=owner_id,
            partner_id=data.partner_id,
            reason=reason,
            detail=detail,
        ),
    )
    return Message.of(event, POINTS.topic, str(owner_id) if owner_id is not None else data.receipt_id)


def _balance(balances: Balances) -> Balance:
    return Balance(available=balances.available, held=balances.held, pending=balances.pending, debt=balances.debt)
