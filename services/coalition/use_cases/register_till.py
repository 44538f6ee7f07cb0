"""Register a till in a store that is there."""

from services.coalition.domain.audit import Act, facts_of
from services.coalition.domain.errors import PartnerNotFoundError, StoreNotFoundError, TillExistsError
from services.coalition.domain.registry import NewTill, Till, first_till
from services.coalition.repository import partners, stores
from services.coalition.use_cases import announcements
from services.coalition.use_cases.record_acts import record_acts
from shared import outbox
from shared.database import Transaction


async def register_till(transaction: Transaction, partner_id: str, store_id: str, new: NewTill, author: str) -> Till:
    """Write a till, and record the act and TillChanged. Holds the partner's row to the commit.

    Raises:
        PartnerNotFoundError, StoreNotFoundError: there is no such partner, or it has no such store.
        TillExistsError: the store has a till with this id.
    """
    if not await partners.lock_partner(transaction, partner_id):
        raise PartnerNotFoundError("there is no such partner")
    if not await stores.has_store(transaction, partner_id, store_id):
        raise StoreNotFoundError("the partner has no such store")
    till = first_till(partner_id, store_id, new)
    if not await stores.insert_tills(transaction, partner_id, [till]):
        raise TillExistsError(f"the store has a till {new.till_id} already")
    act = Act(author, "till.registered", till.subject, partner_id, after=facts_of(till))
    await record_acts(transaction, [act])
    await outbox.record(transaction, [announcements.till_changed(transaction, till)])
    return till
