"""What happened to members' points and tiers joins their open news, or opens some."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from services.notifications.domain.news import News
from services.notifications.repository import digests, merges, news
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.ids import new_id


async def lock_told(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Lock all who are told something in one transaction, in key order, before any of it is added."""
    survivors = await merges.find_survivors(transaction, member_ids)
    await digests.lock_recipients(transaction, {survivors.get(member_id, member_id) for member_id in member_ids})


async def add_news(transaction: Transaction, told: Sequence[News], delay: timedelta) -> int:
    """Add each to its member's news; returns how many were new.

    Idempotent by event: what stands in any message, open or sent, adds nothing and opens nothing. A message is due
    ``delay`` after the first of its news came in here, so that what happens together is told together. Members stay
    locked, in key order, to the commit; the number of round trips does not depend on the number of news. News of a
    member who was merged away are the survivor's; of one who was erased there are none.

    Raises:
        StartAgainError: a member was merged away while its row was waited for.
    """
    survivors = await merges.find_survivors(transaction, {one.member_id for one in told})
    by_event = {one.event_id: replace(one, member_id=survivors.get(one.member_id, one.member_id)) for one in told}
    locked = await digests.lock_recipients(transaction, {one.member_id for one in by_event.values()})
    if await merges.find_survivors(transaction, locked):
        raise StartAgainError("a member was merged away meanwhile")
    known = await news.find_entries(transaction, by_event)
    fresh = [one for event_id, one in by_event.items() if event_id not in known and one.member_id in locked]
    if not fresh:
        return 0
    first = {one.member_id: one for one in reversed(fresh)}
    is_open = await news.find_open(transaction, first)
    message_ids = {member_id: is_open.get(member_id) or new_id() for member_id in first}
    opened = {member_id: message_ids[member_id] for member_id in first if member_id not in is_open}
    if opened:
        traceparents = {member_id: first[member_id].traceparent for member_id in opened}
        await news.open_news(transaction, opened, traceparents, transaction.now + delay)
    await news.add_entries(transaction, fresh, message_ids)
    return len(fresh)
