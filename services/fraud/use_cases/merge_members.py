"""Two members turned out to be one: from now on their receipts are in one window."""

from collections.abc import Sequence

from services.fraud.repository import merges, spend_decisions, windows
from shared.database import Transaction
from shared.events.members import MembersMerged


async def merge_members(transaction: Transaction, events: Sequence[MembersMerged]) -> None:
    """Fold windows, signals, holds, cases and asks of the one that goes into those of the one that stays.

    Idempotent, keyed by the pair. A receipt that is being scored meets us in the member's window: it is folded by us,
    or scored under the survivor; an ask does in the lock of the member's spending. Rules are not judged anew: the next
    receipt sees the windows of both.
    """
    both = {member_id for event in events for member_id in (event.data.member_id, event.data.merged_member_id)}
    await windows.lock(transaction, both)
    await spend_decisions.lock(transaction, both)
    for event in events:
        await merges.fold(transaction, event.data)
