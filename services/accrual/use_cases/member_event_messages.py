"""What is told of member events: codes and points, never what their payloads say."""

from uuid import UUID

from services.accrual.domain.member_events import MemberEvent
from services.accrual.use_cases.messages import SOURCE, balance_of
from shared.database import Transaction
from shared.events.catalogue import POINTS
from shared.events.points import (
    MemberEventData,
    MemberEventRecorded,
    MemberEventRevoked,
    RevokedMemberEventData,
)
from shared.ids import new_id
from shared.ledger import Posted
from shared.outbox import Message
from shared.telemetry.trace_context import child_traceparent, current_traceparent


def recorded_message(transaction: Transaction, event: MemberEvent, owner_id: UUID, posted: Posted | None) -> Message:
    """An event was recorded, and gave points or none."""
    told = MemberEventRecorded(
        id=new_id(),
        source=SOURCE,
        subject=str(owner_id),
        time=transaction.now,
        traceparent=child_traceparent(current_traceparent()),
        data=MemberEventData(
            member_id=owner_id,
            event_id=event.event_id,
            type_code=event.type_code,
            type_version=event.type_version,
            occurred_at=event.occurred_at,
            refusal=event.refusal,
            point_type=event.point_type,
            points=event.points,
            debt_cleared=posted.debt_cleared if posted is not None else 0,
            expires_on=event.expires_on,
            balance=balance_of(posted.balance) if posted is not None else None,
        ),
    )
    return Message.of(told, POINTS.topic, str(owner_id))


def revoked_message(transaction: Transaction, event: MemberEvent, owner_id: UUID, posted: Posted | None) -> Message:
    """What made an event was undone, and what it gave was taken back."""
    told = MemberEventRevoked(
        id=new_id(),
        source=SOURCE,
        subject=str(owner_id),
        time=transaction.now,
        traceparent=child_traceparent(current_traceparent()),
        data=RevokedMemberEventData(
            member_id=owner_id,
            event_id=event.event_id,
            type_code=event.type_code,
            reason_code=event.revoke_reason or "",
            point_type=event.point_type,
            points=event.points,
            became_debt=event.became_debt,
            balance=balance_of(posted.balance) if posted is not None else None,
        ),
    )
    return Message.of(told, POINTS.topic, str(owner_id))
