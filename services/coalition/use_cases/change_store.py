"""Change a store: its name, its time zone, where it is and when it is open."""

from collections.abc import Callable
from dataclasses import replace

from services.coalition.domain.audit import Act, facts_of
from services.coalition.domain.errors import PartnerNotFoundError, StoreNotFoundError
from services.coalition.domain.registry import Store
from services.coalition.repository import partners, stores
from services.coalition.use_cases import announcements
from services.coalition.use_cases.record_acts import record_acts
from shared import outbox
from shared.database import Transaction
from shared.web.preconditions import require_version


async def change_store(
    transaction: Transaction,
    partner_id: str,
    store_id: str,
    changed_of: Callable[[Store], Store],
    *,
    expected_version: int,
    author: str,
) -> Store:
    """Write what ``changed_of`` makes of the store, and record the act and StoreChanged.

    Holds the partner's row to the commit.

    Raises:
        PartnerNotFoundError, StoreNotFoundError: there is no such partner, or it has no such store.
        VersionChangedError: it was changed since the caller read it.
    """
    if not await partners.lock_partner(transaction, partner_id):
        raise PartnerNotFoundError("there is no such partner")
    store = await stores.find_store(transaction, partner_id, store_id, is_locking=True)
    if store is None:
        raise StoreNotFoundError("the partner has no such store")
    require_version(expected_version, store.version)
    changed = replace(changed_of(store), version=store.version + 1)
    await stores.update_store(transaction, changed)
    act = Act(author, "store.changed", store.subject, partner_id, before=facts_of(store), after=facts_of(changed))
    await record_acts(transaction, [act])
    await outbox.record(transaction, [announcements.store_changed(transaction, changed)])
    return changed
