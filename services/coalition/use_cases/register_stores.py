"""Register stores with their tills: one, or all of a partner's at once."""

from collections.abc import Sequence

from services.coalition.domain.audit import Act, facts_of
from services.coalition.domain.errors import PartnerNotFoundError, StoreExistsError
from services.coalition.domain.registry import NewStore, RegisteredStore, first_store
from services.coalition.repository import partners, stores
from services.coalition.use_cases import announcements
from services.coalition.use_cases.record_acts import record_acts
from shared import outbox
from shared.database import Transaction


async def register_store(transaction: Transaction, partner_id: str, new: NewStore, author: str) -> RegisteredStore:
    """Write one store, and record the acts and their events.

    Raises:
        PartnerNotFoundError: there is no such partner.
        StoreExistsError: the partner has a store with this id.
    """
    registered = (await register_stores(transaction, partner_id, [new], author))[0]
    if registered is None:
        raise StoreExistsError(f"the partner has a store {new.store_id} already")
    return registered


async def register_stores(
    transaction: Transaction, partner_id: str, new: Sequence[NewStore], author: str
) -> list[RegisteredStore | None]:
    """Write stores and tills; one entry each in the given order, None for a store that was there before.

    A store that is there stays as it is, and so do its tills. Records an act for each store and till, and StoreChanged
    and its TillChanged events store by store. Holds the partner's row to the commit; the number of statements does not
    depend on the number of stores, whose ids differ.

    Raises:
        PartnerNotFoundError: there is no such partner.
    """
    if not await partners.lock_partner(transaction, partner_id):
        raise PartnerNotFoundError("there is no such partner")
    candidates = [first_store(partner_id, store) for store in new]
    written = await stores.insert_stores(transaction, partner_id, [entry.store for entry in candidates])
    outcomes = [entry if entry.store.store_id in written else None for entry in candidates]
    registered = [entry for entry in outcomes if entry is not None]
    tills = [till for entry in registered for till in entry.tills]
    if tills:
        await stores.insert_tills(transaction, partner_id, tills)
    await record_acts(transaction, [act for entry in registered for act in _acts(entry, author)])
    await outbox.record(
        transaction,
        [message for entry in registered for message in announcements.store_registered(transaction, entry)],
    )
    return outcomes


def _acts(entry: RegisteredStore, author: str) -> list[Act]:
    partner_id = entry.store.partner_id
    return [
        Act(author, "store.registered", entry.store.subject, partner_id, after=facts_of(entry.store)),
        *(Act(author, "till.registered", till.subject, partner_id, after=facts_of(till)) for till in entry.tills),
    ]
