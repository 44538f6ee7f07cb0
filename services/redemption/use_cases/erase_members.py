"""Forgets whatever leads to an erased person. Redemptions and the ledger keep an id that is nobody's any more."""

from collections.abc import Sequence

from services.redemption.repository import privilege_grants, privilege_limits, projections, quotes, waiting_tenders
from shared.database import Transaction
from shared.events.members import ErasureData
from shared.runtime import dead_letters


async def erase_members(transaction: Transaction, erasures: Sequence[ErasureData]) -> None:
    """Put up tombstones, and forget identifiers, quotes, granted offers, hashes of waiting tenders, and dead letters.

    Idempotent: an erasure that is known changes nothing, so that a card which somebody else has got since stays his.
    The caller holds the members' rows. A tender that waited for one of these identifiers takes its points from the
    erased member's account: it is a fact.
    """
    news = await projections.save_erased(transaction, erasures)
    owners = {
        identifier_hash: erasure.member_id
        for erasure in erasures
        if erasure.member_id in news
        for identifier_hash in erasure.identifier_hashes
    }
    if not news:
        return
    await projections.delete_identifiers(transaction, news)
    await quotes.delete_of_members(transaction, news)
    await privilege_grants.delete_of_members(transaction, news)
    await privilege_limits.delete_of_members(transaction, news)
    for identifier_hash in await projections.find_projected(transaction, owners):
        del owners[identifier_hash]  # we hear of the erasure last: it is somebody else's by now, with the tenders
    await waiting_tenders.name_members(transaction, owners)
    await dead_letters.erase(transaction, [*map(str, news), *owners])
