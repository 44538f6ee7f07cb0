"""Forgets whatever leads to an erased person. Decisions, signals and cases keep an id that is nobody's any more."""

from collections.abc import Sequence

from services.fraud.repository import erasure, operators, windows
from shared.database import Transaction
from shared.events.members import MemberErased
from shared.runtime import dead_letters


async def erase_members(transaction: Transaction, events: Sequence[MemberErased]) -> None:
    """Put up tombstones, and forget windows, the notes of cases, cards as operators' own, and dead letters.

    Idempotent. A receipt that is being scored meets us in the member's window: it is forgotten by us, or left out.
    What was found stands, since it says something of the operator too.
    """
    erasures = [event.data for event in events]
    await windows.lock(transaction, {data.member_id for data in erasures})
    news = await erasure.save(transaction, erasures)
    if not news:
        return
    await erasure.empty_windows(transaction, news)
    hashes = [hashed for data in erasures if data.member_id in news for hashed in data.identifier_hashes]
    await operators.forget_cards(transaction, hashes)
    await dead_letters.erase(transaction, [*map(str, news), *hashes])
