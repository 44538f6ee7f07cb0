"""A member who is to confirm something is sent a code, before all else that waits."""

from collections.abc import Sequence
from dataclasses import replace

from services.notifications.domain.codes import ChallengeOf
from services.notifications.repository import codes, digests, merges
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.ids import new_id


async def send_codes(transaction: Transaction, asked: Sequence[ChallengeOf]) -> int:
    """Queue a message for each challenge; returns how many were new.

    Idempotent by challenge. Of a member who was merged away the survivor is written to; one who was erased is not. What
    has expired by the time of sending is not sent.

    Raises:
        StartAgainError: a member was merged away while its row was waited for.
    """
    survivors = await merges.find_survivors(transaction, {one.member_id for one in asked})
    by_id = {
        one.challenge.challenge_id: replace(one, member_id=survivors.get(one.member_id, one.member_id)) for one in asked
    }
    locked = await digests.lock_recipients(transaction, {one.member_id for one in by_id.values()})
    if await merges.find_survivors(transaction, locked):
        raise StartAgainError("a member was merged away meanwhile")
    known = await codes.find_known(transaction, by_id)
    fresh = [(new_id(), one) for each, one in by_id.items() if each not in known and one.member_id in locked]
    if fresh:
        await codes.open_codes(transaction, fresh)
    return len(fresh)
