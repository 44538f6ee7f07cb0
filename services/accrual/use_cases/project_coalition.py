"""Projects partners, stores, tills, contracts and exposures, and lets go the receipts that waited for them."""

from collections.abc import Sequence

from services.accrual.domain.partner_funds import rule_on
from services.accrual.repository import category_mappings, parked, partner_funds, partner_standings, places
from services.accrual.repository.places import Till
from services.accrual.use_cases.release_parked import release_parked
from shared.database import Transaction
from shared.events.coalition import CoalitionEvent, PartnerChanged, StoreChanged, TillChanged, TillData
from shared.events.contracts import ContractData, ContractPublished, ExposureChanged
from shared.events.goods import ArticleChanged, ProductMapped


async def project_coalition(transaction: Transaction, events: Sequence[CoalitionEvent]) -> int:
    """Take in what happened in the coalition; how many parked receipts were released comes back.

    Idempotent: a row only moves to a higher version. A till counts once its store and partner are known too: all three
    are published under the partner's key and in this order, so the till's event is the one to wait for.
    """
    partners = [event for event in events if isinstance(event, PartnerChanged)]
    stores = [event.data for event in events if isinstance(event, StoreChanged)]
    tills = [event.data for event in events if isinstance(event, TillChanged)]
    contracts = [event.data for event in events if isinstance(event, ContractPublished)]
    exposures = [event for event in events if isinstance(event, ExposureChanged)]
    meets = {parked.waits_for_till(till.partner_id, till.store_id, till.till_id) for till in tills}
    meets |= {parked.meets_contract(contract.partner_id) for contract in contracts}
    if meets:
        await parked.meet(transaction, meets)
    if partners:
        await places.save_partners(transaction, [partner.data for partner in partners])
        await partner_standings.save(transaction, partners)
    mapped = [event for event in events if isinstance(event, ProductMapped)]
    if mapped:
        await category_mappings.save(transaction, mapped)
    articles = [event for event in events if isinstance(event, ArticleChanged)]
    if articles:
        await category_mappings.save_exclusions(transaction, articles)
    if stores:
        await places.save_stores(transaction, stores)
    if exposures:
        await partner_funds.save_exposures(transaction, exposures)
    ready = await _save_tills(transaction, tills) if tills else set()
    ready |= await _save_contracts(transaction, contracts) if contracts else set()
    return await release_parked(transaction, ready) if ready else 0


async def _save_tills(transaction: Transaction, tills: Sequence[TillData]) -> set[str]:
    """What waited for these tills can go."""
    await places.save_tills(transaction, tills)
    known = await places.find_tills(transaction, [Till(till.partner_id, till.store_id, till.till_id) for till in tills])
    return {parked.waits_for_till(till.partner_id, till.store_id, till.till_id) for till in known}


async def _save_contracts(transaction: Transaction, contracts: Sequence[ContractData]) -> set[str]:
    """What waited for a contract that covers its time can go; the rest waits on."""
    await partner_funds.save_contracts(transaction, contracts)
    partner_ids = sorted({contract.partner_id for contract in contracts})
    waiting = await parked.find_waiting_for_contracts(transaction, partner_ids)
    if not waiting:
        return set()
    funds = await partner_funds.load(transaction, partner_ids)
    ready = set()
    for waits_for in waiting:
        partner_id, occurred_at = parked.contract_waited_for(waits_for)
        if rule_on(funds.get(partner_id), occurred_at) != "no_contract":
            ready.add(waits_for)
    return ready
