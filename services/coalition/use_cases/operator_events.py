"""What the others are told of operators. Keyed by the partner, whose row is held by whoever writes an operator."""

from services.coalition.domain.operators import Operator
from services.coalition.use_cases.announcements import SOURCE
from shared.database import Transaction
from shared.events.catalogue import COALITION
from shared.events.coalition import OperatorChanged, OperatorData
from shared.ids import new_id
from shared.outbox import Message
from shared.telemetry.trace_context import child_traceparent, current_traceparent


def operator_changed(transaction: Transaction, operator: Operator) -> Message:
    """The operator as it is now."""
    event = OperatorChanged(
        id=new_id(),
        source=SOURCE,
        subject=operator.subject,
        time=transaction.now,
        traceparent=child_traceparent(current_traceparent()),
        data=OperatorData(
            partner_id=operator.partner_id,
            operator_hash=operator.operator_hash,
            version=operator.version,
            state=operator.state,
            own_card_hashes=operator.own_card_hashes,
        ),
    )
    return Message.of(event, COALITION.topic, operator.partner_id)
