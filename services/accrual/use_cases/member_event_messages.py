"""What is told of member events: codes and points, never what their payloads say."""

from uuid import UUID

from services.accrual.domain.member_events import MemberEvent
from services.accrual.use_cases.messages import balance_of, message_of_member
from shared.database import Transaction
from shared.events.member_events import MemberEventData, MemberEventRecorded, MemberEventRevoked, RevokedMemberEventData
from shared.ledger import Posted
from shared.outbox import Message


def recorded_message(transaction: Transaction, event: MemberEvent, owner_id: UUID, posted: Posted | None) -> Message:
    """An event was recorded, and gave points or none."""
    data = MemberEventData(
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
    )
    return message_of_member(transaction, MemberEventRecorded, owner_id, data)


def revoked_message(transaction: Transaction, event: MemberEvent, owner_id: UUID, posted: Posted | None) -> Message:
    """What made an event was undone, and what it gave was taken back."""
    data = RevokedMemberEventData(
        member_id=owner_id,
        event_id=event.event_id,
        type_code=event.type_code,
        reason_code=event.revoke_reason or "",
        point_type=event.point_type,
        points=event.points,
        became_debt=event.became_debt,
        balance=balance_of(posted.balance) if posted is not None else None,
    )
    return message_of_member(transaction, MemberEventRevoked, owner_id, data)
