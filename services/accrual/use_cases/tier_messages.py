"""``TierChanged``, as it leaves accrual."""

from services.accrual.repository.tier_standings import ChangeRow
from services.accrual.use_cases.messages import SOURCE
from shared.database import Transaction
from shared.events.catalogue import POINTS
from shared.events.points import TierChanged, TierData
from shared.ids import new_id
from shared.outbox import Message
from shared.telemetry.trace_context import child_traceparent, current_traceparent


def tier_message(transaction: Transaction, row: ChangeRow) -> Message:
    """A member has another tier."""
    change = row.change
    event = TierChanged(
        id=new_id(),
        source=SOURCE,
        subject=str(row.member_id),
        time=transaction.now,
        traceparent=child_traceparent(current_traceparent()),
        data=TierData(
            member_id=row.member_id,
            version=row.version,
            old_tier=change.old_tier,
            new_tier=change.new_tier,
            reason=change.reason,
            effective_at=change.at,
            until=change.until,
            scheme_version=row.scheme_version,
        ),
    )
    return Message.of(event, POINTS.topic, str(row.member_id))
