"""Close a case: a person's word on what happens to the awards it holds."""

from services.fraud.domain.cases import Case, CaseClosedOtherwiseError, HandedOver, settlement_of
from services.fraud.repository import cases, windows
from services.fraud.use_cases import announcements
from shared.database import Transaction
from shared.events.fraud import CaseOutcome, PointsHoldData, PointsReleaseData
from shared.outbox import Message, record
from shared.receipt_key import receipt_id_of
from shared.telemetry.trace_context import current_traceparent

RELEASE_REASON = "case_closed"


async def close_case(
    transaction: Transaction, case: Case, outcome: CaseOutcome, closed_by: str, note: str | None
) -> Case:
    """Close the case inside the caller's transaction; the case as it is then.

    Each receipt of the case gets a decision of a higher version: a hold without end, or a release. What another open
    case asks for is not released: that one holds it from now on, as long as it would have been held. Idempotent: a
    case that is closed with this outcome stays as it is, first author and note included. The note never leaves this
    database.

    Raises:
        CaseClosedOtherwiseError: the case is closed with another outcome.
    """
    await windows.lock(transaction, [case.member_id])  # no receipt of the member joins the case from here on
    current = await cases.find(transaction, case.case_id)
    if current is None:
        raise LookupError(f"case {case.case_id} was there a moment ago, and cases are never deleted")
    if current.outcome is not None:
        if current.outcome != outcome:
            raise CaseClosedOtherwiseError(f"The case was closed as {current.outcome}: that stands.")
        return current
    closed = await cases.close(transaction, case.case_id, outcome, closed_by, note)
    settlement = settlement_of(outcome)
    handed = await cases.hand_over(transaction, case.case_id) if settlement.action == "release" else []
    receipts = await cases.settle_holds(transaction, case.case_id, settlement)
    trace = current_traceparent()
    messages = [
        announcements.case_closed(closed.case_id, closed.member_id, closed.version, outcome, transaction.now, trace),
        *(
            _announced(closed, HandedOver(receipt, case.case_id, case.rule_code), transaction, trace)
            for receipt in receipts
        ),
        *(_announced(closed, receipt, transaction, trace) for receipt in handed),
    ]
    await record(transaction, messages)
    return closed


def _announced(case: Case, held_for: HandedOver, transaction: Transaction, trace: str | None) -> Message:
    receipt = held_for.receipt
    receipt_id = receipt_id_of(receipt.receipt_key)
    if receipt.ends_at is None:
        released = PointsReleaseData(
            member_id=case.member_id,
            receipt_id=receipt_id,
            version=receipt.version,
            case_id=case.case_id,
            reason=RELEASE_REASON,
        )
        return announcements.hold_released(released, transaction.now, trace)
    held = PointsHoldData(
        member_id=case.member_id,
        receipt_id=receipt_id,
        version=receipt.version,
        rule_code=held_for.rule_code,
        case_id=held_for.case_id,
        ends_at=receipt.ends_at,
    )
    return announcements.hold_requested(held, transaction.now, trace)
