"""Statements on stores and tills. Whoever changes them holds their partner's row."""

from collections.abc import Sequence

from sqlalchemy import exists, select

from services.coalition.domain.registry import Store, Till
from services.coalition.tables import stores
from shared.database import Transaction

# A thousand stores with their tills are registered in one transaction: two statements, whatever the number.
INSERT_STORES = """
    insert into stores (partner_id, store_id, name, time_zone, version, registered_at)
    select $1, store_id, name, time_zone, version, $2
    from unnest($3::text[], $4::text[], $5::text[], $6::bigint[]) as incoming (store_id, name, time_zone, version)
    order by store_id collate "C"
    on conflict (partner_id, store_id) do nothing
    returning store_id
"""


INSERT_TILLS = """
    insert into tills (partner_id, store_id, till_id, key_scheme, key_sha256, is_revoked, version, registered_at)
    select $1, store_id, till_id, key_scheme, key_sha256, false, version, $2
    from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])
        as incoming (store_id, till_id, key_scheme, key_sha256, version)
    order by store_id collate "C", till_id collate "C"
    on conflict (partner_id, store_id, till_id) do nothing
    returning store_id, till_id
"""


async def insert_stores(transaction: Transaction, partner_id: str, new: Sequence[Store]) -> frozenset[str]:
    """Write the stores whose ids are free, and return those ids."""
    rows = await transaction.raw.fetch(
        INSERT_STORES,
        partner_id,
        transaction.now,
        [store.store_id for store in new],
        [store.name for store in new],
        [store.time_zone for store in new],
        [store.version for store in new],
    )
    return frozenset(row["store_id"] for row in rows)


async def has_store(transaction: Transaction, partner_id: str, store_id: str) -> bool:
    """Whether the partner has this store."""
    statement = select(exists().where(stores.c.partner_id == partner_id, stores.c.store_id == store_id))
    return bool((await transaction.connection.execute(statement)).scalar_one())


async def load_stores(transaction: Transaction, partner_id: str, *, after: str | None, rows_max: int) -> list[Store]:
    """A partner's stores in the order of their ids."""
    statement = select(stores).where(stores.c.partner_id == partner_id).order_by(stores.c.store_id).limit(rows_max)
    if after is not None:
        statement = statement.where(stores.c.store_id > after)
    return [
        Store(row["partner_id"], row["store_id"], row["name"], row["time_zone"], row["version"])
        for row in (await transaction.connection.execute(statement)).mappings()
    ]


async def insert_tills(transaction: Transaction, partner_id: str, new: Sequence[Till]) -> frozenset[tuple[str, str]]:
    """Write the tills whose ids are free, and return those ids, each as (store, till)."""
    rows = await transaction.raw.fetch(
        INSERT_TILLS,
        partner_id,
        transaction.now,
        [till.store_id for till in new],
        [till.till_id for till in new],
        [till.key_scheme for till in new],
        [till.key_sha256 for till in new],
        [till.version for till in new],
    )
    return frozenset((row["store_id"], row["till_id"]) for row in rows)
