"""Projects partners, stores and tills, and lets go the receipts that waited for them."""

from collections.abc import Sequence

from services.accrual.repository import category_mappings, parked, partner_standings, projections
from services.accrual.repository.projections import Till
from services.accrual.use_cases.release_parked import release_parked
from shared.database import Transaction
from shared.events.coalition import ApiClientChanged, PartnerChanged, ProductMapped, StoreChanged, TillChanged


async def project_coalition(
    transaction: Transaction,
    events: Sequence[PartnerChanged | StoreChanged | TillChanged | ApiClientChanged | ProductMapped],
) -> int:
    """Take in what happened in the coalition; how many parked receipts were released comes back.

    Idempotent: a row only moves to a higher version. A till counts once its store and partner are known too: all three
    are published under the partner's key and in this order, so the till's event is the one to wait for.
    """
    partners = [event for event in events if isinstance(event, PartnerChanged)]
    stores = [event.data for event in events if isinstance(event, StoreChanged)]
    tills = [event.data for event in events if isinstance(event, TillChanged)]
    waits_for = {parked.waits_for_till(till.partner_id, till.store_id, till.till_id) for till in tills}
    if waits_for:
        await parked.meet(transaction, waits_for)
    if partners:
        await projections.save_partners(transaction, [partner.data for partner in partners])
        await partner_standings.save(transaction, partners)
    mapped = [event for event in events if isinstance(event, ProductMapped)]
    if mapped:
        await category_mappings.save(transaction, mapped)
    if stores:
        await projections.save_stores(transaction, stores)
    if not tills:
        return 0
    await projections.save_tills(transaction, tills)
    known = await projections.find_tills(
        transaction, [Till(till.partner_id, till.store_id, till.till_id) for till in tills]
    )
    ready = {parked.waits_for_till(till.partner_id, till.store_id, till.till_id) for till in known}
    return await release_parked(transaction, ready) if ready else 0
