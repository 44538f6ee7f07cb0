"""Keep what happened to a member's PIN, and tell it: whoever did not do it is to hear of it."""

from uuid import UUID

from services.members.domain.pins import Pin, PinChangeKind
from services.members.repository import pins
from services.members.use_cases.announcements import SOURCE
from shared import outbox
from shared.database import Transaction
from shared.events.catalogue import MEMBERS
from shared.events.members import PinChanged, PinData
from shared.ids import new_id
from shared.outbox import Message
from shared.telemetry.trace_context import child_traceparent, current_traceparent


async def tell_pin_change(transaction: Transaction, member_id: UUID, change: PinChangeKind, changed_by: str) -> None:
    """Write the change down and record PinChanged, in the commit that makes it. The PIN's row is locked by then, or
    was never there.
    """
    kept = await pins.record_change(transaction, member_id, change, changed_by, transaction.now)
    event = PinChanged(
        id=new_id(),
        source=SOURCE,
        subject=str(member_id),
        time=transaction.now,
        traceparent=child_traceparent(current_traceparent()),
        data=PinData(member_id=member_id, version=kept.version, change=change),
    )
    await outbox.record(transaction, [Message.of(event, MEMBERS.topic, event.subject)])


async def tell_lock(transaction: Transaction, locked: Pin, tried_by: str) -> None:
    """The same for a PIN that a wrong try has locked; nothing where it is set, reset or known again by now."""
    pin = await pins.lock(transaction, locked.member_id)
    if pin is None or (pin.sealed, pin.locked_until) != (locked.sealed, locked.locked_until):
        return
    await tell_pin_change(transaction, pin.member_id, "locked", tried_by)
