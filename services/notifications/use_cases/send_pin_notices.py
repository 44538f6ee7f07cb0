"""A member whose PIN was set, changed, reset or locked is told so at once."""

from collections.abc import Sequence
from dataclasses import replace

from services.notifications.domain.pin_notices import PinNotice
from services.notifications.repository import digests, merges, pin_notices
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.ids import new_id


async def send_pin_notices(transaction: Transaction, told: Sequence[PinNotice]) -> int:
    """Queue a message for each change; returns how many were new.

    Idempotent by event. Of a member who was merged away the survivor is written to; one who was erased is not.

    Raises:
        StartAgainError: a member was merged away while its row was waited for.
    """
    survivors = await merges.find_survivors(transaction, {one.member_id for one in told})
    by_id = {one.event_id: replace(one, member_id=survivors.get(one.member_id, one.member_id)) for one in told}
    locked = await digests.lock_recipients(transaction, {one.member_id for one in by_id.values()})
    if await merges.find_survivors(transaction, locked):
        raise StartAgainError("a member was merged away meanwhile")
    known = await pin_notices.find_known(transaction, by_id)
    fresh = [(new_id(), one) for each, one in by_id.items() if each not in known and one.member_id in locked]
    if fresh:
        await pin_notices.open_notices(transaction, fresh)
    return len(fresh)
