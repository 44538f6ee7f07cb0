"""Forgets whatever leads to an erased person. Awards, claims and the ledger keep an id that is nobody's any more."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.accrual.domain.purchase_event import of_erased_member
from services.accrual.repository import (
    adjustments,
    backtest_members,
    counted_days,
    member_attributes,
    member_days,
    member_events,
    member_versions,
    memberships,
    parked,
    projections,
    tier_erasure,
)
from services.accrual.repository.parked import Carrier
from shared.database import Transaction
from shared.events.catalogue import PURCHASES
from shared.events.members import ErasureData
from shared.runtime import dead_letters


async def erase_members(transaction: Transaction, erasures: Sequence[ErasureData]) -> None:
    """Put up tombstones, and forget identifiers, tiers, the hashes in parked receipts, and dead letters.

    Idempotent: an erasure that is known changes nothing, so that a card which somebody else has got since stays his.
    The caller holds the members' and the identifiers' meeting rows. Parked receipts become the erased member's, and
    wait under his id from now on, to be decided as his.
    """
    news = await projections.save_erased(transaction, erasures)
    fresh = [erasure for erasure in erasures if erasure.member_id in news]
    if not fresh:
        return
    await projections.delete_identifiers(transaction, news)
    await adjustments.forget_notes(transaction, news)
    await tier_erasure.erase(transaction, news)
    await member_events.forget(transaction, news)
    await member_days.forget(transaction, news)
    await member_versions.forget(transaction, news)
    await member_attributes.forget(transaction, news)
    await memberships.forget(transaction, news)
    await counted_days.erase(transaction, news)
    await backtest_members.forget(transaction, news)
    owners = {hashed: erasure.member_id for erasure in fresh for hashed in erasure.identifier_hashes}
    for hashed in await projections.find_projected(transaction, owners):
        del owners[hashed]  # we hear of the erasure last: it is somebody else's by now, with the receipts
    carriers = await parked.lock_carriers(transaction, owners)
    await parked.rewrite(transaction, [_rewritten(carrier, owners) for carrier in carriers])
    await dead_letters.erase(transaction, [*map(str, news), *owners])


def _rewritten(carrier: Carrier, owners: Mapping[str, UUID]) -> tuple[bytes, str | None, bytes]:
    owner_id = owners[carrier.identifier_hash]
    event = of_erased_member(PURCHASES.read(carrier.event), owner_id)
    is_for_card = carrier.waits_for == parked.waits_for_identifier(carrier.identifier_hash)
    waits_for = parked.waits_for_member(owner_id) if is_for_card else carrier.waits_for
    return carrier.natural_key, waits_for, event.to_bytes()
