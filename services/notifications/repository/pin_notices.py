"""Messages about changes of PINs."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from services.notifications.domain.pin_notices import TEMPLATE, TEMPLATE_VERSION, PinChangeKind, PinNotice
from shared.database import Transaction

_FIND_KNOWN = "select event_id from pin_notices where event_id = any($1::uuid[])"
# At once: whoever did not do it can still stop what comes next.
_OPEN = """
    insert into messages (message_id, member_id, template, template_version, channel, state, traceparent,
        opened_at, due_at, next_attempt_at, attempts, deferrals)
    select message_id, member_id, $4, $5, 'email', 'queued', traceparent, $6, $6, now(), 0, 0
    from unnest($1::uuid[], $2::uuid[], $3::text[]) as opened (message_id, member_id, traceparent)
"""
_ADD = """
    insert into pin_notices (message_id, event_id, change)
    select * from unnest($1::uuid[], $2::uuid[], $3::text[])
"""
_LOAD = "select message_id, change from pin_notices where message_id = any($1::uuid[])"


async def find_known(transaction: Transaction, event_ids: Collection[UUID]) -> set[UUID]:
    """For which of these events a message was opened."""
    return {row["event_id"] for row in await transaction.raw.fetch(_FIND_KNOWN, list(event_ids))}


async def open_notices(transaction: Transaction, opened: Sequence[tuple[UUID, PinNotice]]) -> None:
    """Queue a message for each, by the message's id. The members' rows are locked."""
    message_ids = [message_id for message_id, _ in opened]
    members = [one.member_id for _, one in opened]
    traces = [one.traceparent for _, one in opened]
    await transaction.raw.execute(_OPEN, message_ids, members, traces, TEMPLATE, TEMPLATE_VERSION, transaction.now)
    await transaction.raw.execute(
        _ADD, message_ids, [one.event_id for _, one in opened], [one.change for _, one in opened]
    )


async def load(transaction: Transaction, message_ids: Collection[UUID]) -> Mapping[UUID, PinChangeKind]:
    """What those of these messages tell that are about a PIN; the others are absent."""
    rows = await transaction.raw.fetch(_LOAD, list(message_ids))
    return {row["message_id"]: row["change"] for row in rows}
