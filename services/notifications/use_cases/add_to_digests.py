"""Earned points join their member's open digest, or open one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from services.notifications.domain.digest import TEMPLATE, TEMPLATE_VERSION, Award
from services.notifications.repository import digests, merges
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.ids import new_id


async def add_to_digests(transaction: Transaction, awards: Sequence[Award], delay: timedelta) -> int:
    """Add each award to its member's digest; returns how many were new.

    Idempotent by receipt and part: an award that stands in any digest, open or sent, adds nothing and opens nothing. A
    digest is due ``delay`` after the business time at which its first award came in here, not at which the points were
    earned: after an outage a member gets one message, not one for every award that has been overdue. Members stay
    locked, in key order, to the commit; the number of round trips does not depend on the number of awards. Awards of
    a member who was merged away are the survivor's.

    Raises:
        StartAgainError: a member was merged away while its row was waited for.
    """
    survivors = await merges.find_survivors(transaction, {award.member_id for award in awards})
    by_receipt = {
        (award.receipt_key, award.part): replace(award, member_id=survivors.get(award.member_id, award.member_id))
        for award in awards
    }
    open_digests = await digests.lock_recipients(transaction, {award.member_id for award in by_receipt.values()})
    if await merges.find_survivors(transaction, open_digests):
        raise StartAgainError("a member was merged away meanwhile")
    known = await digests.find_entries(transaction, {receipt_key for receipt_key, _ in by_receipt})
    fresh = [award for key, award in by_receipt.items() if key not in known and award.member_id in open_digests]
    if not fresh:
        return 0
    first_awards = {award.member_id: award for award in reversed(fresh)}
    message_ids = {member_id: open_digests[member_id] or new_id() for member_id in first_awards}
    opened = {member_id: message_ids[member_id] for member_id in first_awards if open_digests[member_id] is None}
    if opened:
        await digests.open_digests(
            transaction,
            opened,
            {member_id: first_awards[member_id].traceparent for member_id in opened},
            (TEMPLATE, TEMPLATE_VERSION),
            transaction.now + delay,
        )
    await digests.add_entries(transaction, fresh, message_ids)
    return len(fresh)
