"""Note when members' identifiers were linked, and when they got another e-mail address: who spends right after a change
is asked to confirm it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from services.fraud.repository import identifier_times, merges, windows
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.events.members import ContactChanged, IdentifierLinked, IdentifierRevoked

Noted: TypeAlias = IdentifierLinked | IdentifierRevoked | ContactChanged


async def note_identifiers(transaction: Transaction, events: Sequence[Noted]) -> None:
    """Keep of each member when an identifier was first linked, when one was last, and when the e-mail address last
    became another one: times, and neither hashes nor addresses.

    What counts is when it was linked or changed, and not when that is told: re-keying, an unblocking, a republishing
    and a replay bear the same times and change nothing, in whatever order. Revocations tell of what was there before.
    Events of before ``linked_at`` was told say nothing. Locks members' windows, in the order of their ids; what is told
    of a member who was merged away is the survivor's.

    Raises:
        StartAgainError: a member was merged away while a window was waited for.
    """
    linked = [
        (event.data.member_id, event.data.linked_at)
        for event in events
        if not isinstance(event, ContactChanged) and event.data.linked_at is not None
    ]
    moved = [(event.data.member_id, event.data.changed_at) for event in events if isinstance(event, ContactChanged)]
    told = [member_id for member_id, _ in (*linked, *moved)]
    if not told:
        return
    survivors = await merges.find_survivors(transaction, set(told))
    owners = {survivors.get(member_id, member_id) for member_id in told}
    await windows.lock(transaction, owners)
    if await merges.find_survivors(transaction, owners):
        raise StartAgainError("a member was merged away meanwhile")

    def owned(times: Sequence[tuple[UUID, datetime]]) -> list[tuple[UUID, datetime]]:
        return [(survivors.get(member_id, member_id), at) for member_id, at in times]

    if linked:
        await identifier_times.save(transaction, owned(linked))
    if moved:
        await identifier_times.save_contacts(transaction, owned(moved))
