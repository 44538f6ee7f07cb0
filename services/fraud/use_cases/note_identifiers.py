"""Note when members' identifiers were linked: who spends right after one was changed is asked to confirm it."""

from collections.abc import Sequence

from services.fraud.repository import identifier_times, merges, windows
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.events.members import IdentifierLinked, IdentifierRevoked


async def note_identifiers(transaction: Transaction, events: Sequence[IdentifierLinked | IdentifierRevoked]) -> None:
    """Keep of each member when an identifier was first linked, and when one was last: times, and no hashes.

    What counts is when it was linked, and not when that is told: re-keying, an unblocking, a republishing and a replay
    bear the same times and change nothing, in whatever order. Revocations tell of what was there before. Events of
    before ``linked_at`` was told say nothing. Locks members' windows, in the order of their ids; what is told of a
    member who was merged away is the survivor's.

    Raises:
        StartAgainError: a member was merged away while a window was waited for.
    """
    linked = [(event.data.member_id, event.data.linked_at) for event in events if event.data.linked_at is not None]
    if not linked:
        return
    survivors = await merges.find_survivors(transaction, {member_id for member_id, _ in linked})
    owned = [(survivors.get(member_id, member_id), linked_at) for member_id, linked_at in linked]
    owners = {member_id for member_id, _ in owned}
    await windows.lock(transaction, owners)
    if await merges.find_survivors(transaction, owners):
        raise StartAgainError("a member was merged away meanwhile")
    await identifier_times.save(transaction, owned)
