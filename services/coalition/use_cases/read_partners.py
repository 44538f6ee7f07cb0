"""Read partners and stores. Changes nothing."""

from services.coalition.domain.errors import PartnerNotFoundError, StoreNotFoundError
from services.coalition.domain.registry import Partner, Store
from services.coalition.repository import partners, stores
from shared.database import Transaction


async def read_partner(transaction: Transaction, partner_id: str) -> Partner:
    """The partner.

    Raises:
        PartnerNotFoundError: there is none.
    """
    partner = await partners.find_partner(transaction, partner_id)
    if partner is None:
        raise PartnerNotFoundError("there is no such partner")
    return partner


async def read_partners(
    transaction: Transaction, *, only: str | None, after: str | None, rows_max: int
) -> list[Partner]:
    """Up to ``rows_max`` partners after an id, in the order of ids; ``only`` is the one that the caller may see."""
    return await partners.load_partners(transaction, only=only, after=after, rows_max=rows_max)


async def read_stores(transaction: Transaction, partner_id: str, *, after: str | None, rows_max: int) -> list[Store]:
    """Up to ``rows_max`` stores of a partner after an id, in the order of ids.

    Raises:
        PartnerNotFoundError: there is no such partner.
    """
    await read_partner(transaction, partner_id)
    return await stores.load_stores(transaction, partner_id, after=after, rows_max=rows_max)


async def read_store(transaction: Transaction, partner_id: str, store_id: str) -> Store:
    """One store.

    Raises:
        PartnerNotFoundError, StoreNotFoundError: there is no such partner, or it has no such store.
    """
    await read_partner(transaction, partner_id)
    store = await stores.find_store(transaction, partner_id, store_id)
    if store is None:
        raise StoreNotFoundError("the partner has no such store")
    return store
