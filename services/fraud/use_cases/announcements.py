"""Events that tell of findings, as messages for the outbox. Keyed by member, so that a member's stay in order."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from services.fraud.domain.outcomes import Hold, NewCase, Signal
from services.fraud.domain.spending.asks import Verdict
from services.fraud.repository.spend_decisions import StoredSpendDecision
from shared.events.catalogue import FRAUD
from shared.events.fraud import (
    CaseClosed,
    CaseClosedData,
    CaseOpened,
    CaseOpenedData,
    CaseOutcome,
    ClaimCleared,
    ClaimClearedData,
    FraudEvent,
    PointsHoldData,
    PointsHoldReleased,
    PointsHoldRequested,
    PointsReleaseData,
    SignalData,
    SignalRaised,
    SpendFlagged,
    SpendFlaggedData,
)
from shared.ids import new_id
from shared.outbox import Message
from shared.receipt_key import receipt_id_of
from shared.telemetry.trace_context import child_traceparent

SOURCE = "fraud"


def case_opened(case: NewCase, case_id: UUID, held: Iterable[Hold], now: datetime, cause: str | None) -> Message:
    """A case, with the receipts that were held when it was opened."""
    data = CaseOpenedData(
        case_id=case_id,
        version=1,
        member_id=case.member_id,
        rule_code=case.rule_code,
        receipt_ids=tuple(receipt_id_of(hold.receipt.receipt_key) for hold in held),
    )
    return _message(
        CaseOpened(
            id=new_id(), source=SOURCE, subject=str(case_id), time=now, traceparent=child_traceparent(cause), data=data
        )
    )


def case_closed(
    case_id: UUID, member_id: UUID, version: int, outcome: CaseOutcome, now: datetime, cause: str | None
) -> Message:
    """What a person decided; the reasons stay here."""
    data = CaseClosedData(case_id=case_id, version=version, member_id=member_id, outcome=outcome)
    return _message(
        CaseClosed(
            id=new_id(), source=SOURCE, subject=str(case_id), time=now, traceparent=child_traceparent(cause), data=data
        )
    )


def signal_raised(signal: Signal, signal_id: UUID, now: datetime, cause: str | None) -> Message:
    """A rule that fired."""
    receipt_id = receipt_id_of(signal.receipt.receipt_key)
    data = SignalData(
        signal_id=signal_id,
        member_id=signal.member_id,
        receipt_id=receipt_id,
        rule_code=signal.rule_code,
        action="hold" if signal.action == "hold" else "flag",
        observed=signal.observed,
        threshold=signal.threshold,
        window=signal.window,
    )
    return _message(
        SignalRaised(
            id=new_id(), source=SOURCE, subject=receipt_id, time=now, traceparent=child_traceparent(cause), data=data
        )
    )


def hold_requested(data: PointsHoldData, now: datetime, cause: str | None) -> Message:
    """An award that is to be set aside."""
    return _message(
        PointsHoldRequested(
            id=new_id(),
            source=SOURCE,
            subject=data.receipt_id,
            time=now,
            traceparent=child_traceparent(cause),
            data=data,
        )
    )


def hold_released(data: PointsReleaseData, now: datetime, cause: str | None) -> Message:
    """An award that is to be given back."""
    return _message(
        PointsHoldReleased(
            id=new_id(),
            source=SOURCE,
            subject=data.receipt_id,
            time=now,
            traceparent=child_traceparent(cause),
            data=data,
        )
    )


def claim_cleared(member_id: UUID, receipt_key: bytes, now: datetime, cause: str | None) -> Message:
    """A claimed receipt that there is nothing against."""
    data = ClaimClearedData(member_id=member_id, receipt_id=receipt_id_of(receipt_key))
    return _message(
        ClaimCleared(
            id=new_id(),
            source=SOURCE,
            subject=data.receipt_id,
            time=now,
            traceparent=child_traceparent(cause),
            data=data,
        )
    )


def spend_flagged(stored: StoredSpendDecision, subject_id: UUID, now: datetime, cause: str | None) -> Message:
    """What left without our answer and should not have."""
    ask, decision = stored.ask, stored.decision
    data = SpendFlaggedData(
        decision_id=ask.decision_id,
        member_id=ask.member_id,
        kind=ask.kind,
        subject_id=subject_id,
        partner_id=ask.place.partner_id,
        point_type=ask.point_type,
        points=ask.points,
        verdict="deny" if decision.verdict is Verdict.DENY else "step_up",
        rule_codes=decision.rule_codes,
        rule_set_version=stored.rule_set_version,
    )
    return _message(
        SpendFlagged(
            id=new_id(),
            source=SOURCE,
            subject=str(subject_id),
            time=now,
            traceparent=child_traceparent(cause),
            data=data,
        )
    )


def _message(event: FraudEvent) -> Message:
    return Message.of(event, FRAUD.topic, str(event.data.member_id))
