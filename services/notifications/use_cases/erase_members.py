"""Forgets an erased person: what he was told, what he was about to be told, and in which language."""

from collections.abc import Sequence

from services.notifications.repository import erasure
from shared.database import Transaction
from shared.events.members import ErasureData
from shared.runtime import dead_letters


async def erase_members(transaction: Transaction, erasures: Sequence[ErasureData]) -> None:
    """Put up tombstones, and delete messages, digests, news and dead letters.

    Idempotent. A message that a sender has in hand at this moment may still go out; what became of it is written down
    nowhere, because its row is gone. Receipts are told to nobody any more, so that their entries are not needed.
    """
    news = await erasure.save(transaction, erasures)
    if not news:
        return
    await erasure.delete_messages(transaction, news)
    hashes = [hashed for data in erasures if data.member_id in news for hashed in data.identifier_hashes]
    await dead_letters.erase(transaction, [*map(str, news), *hashes])
