"""Statements on stores and tills. Whoever changes them holds their partner's row."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import orjson
from sqlalchemy import exists, select
from sqlalchemy.engine import RowMapping

from services.coalition.domain.places import OpenHours, Place
from services.coalition.domain.registry import Store, Till
from services.coalition.tables import stores
from shared.database import Transaction

# A thousand stores with their tills are registered in one transaction: two statements, whatever the number.
INSERT_STORES = """
    insert into stores (partner_id, store_id, name, time_zone, version, gln, latitude_microdegrees,
        longitude_microdegrees, zone, opening_hours, registered_at)
    select $1, store_id, name, time_zone, version, gln, latitude, longitude, zone, opening_hours::jsonb, $2
    from unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::int[], $9::int[], $10::text[],
            $11::text[])
        as incoming (store_id, name, time_zone, version, gln, latitude, longitude, zone, opening_hours)
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


LOCK_TILL = """
    select partner_id, store_id, till_id, key_scheme, key_sha256, is_revoked, version, previous_key_sha256,
        previous_key_until
    from tills where partner_id = $1 and store_id = $2 and till_id = $3
    for no key update
"""

HAS_TILL = "select exists (select from tills where partner_id = $1 and store_id = $2 and till_id = $3)"

UPDATE_TILL = """
    update tills set key_sha256 = $4, is_revoked = $5, version = $6, previous_key_sha256 = $7, previous_key_until = $8
    where partner_id = $1 and store_id = $2 and till_id = $3
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
        [store.place.gln for store in new],
        [store.place.latitude_microdegrees for store in new],
        [store.place.longitude_microdegrees for store in new],
        [store.place.zone for store in new],
        [orjson.dumps(store.place.opening_hours).decode() for store in new],
    )
    return frozenset(row["store_id"] for row in rows)


async def has_store(transaction: Transaction, partner_id: str, store_id: str) -> bool:
    """Whether the partner has this store."""
    statement = select(exists().where(stores.c.partner_id == partner_id, stores.c.store_id == store_id))
    return bool((await transaction.connection.execute(statement)).scalar_one())


async def has_till(transaction: Transaction, partner_id: str, store_id: str, till_id: str) -> bool:
    """Whether the partner has this till."""
    return bool(await transaction.raw.fetchval(HAS_TILL, partner_id, store_id, till_id))


async def load_stores(transaction: Transaction, partner_id: str, *, after: str | None, rows_max: int) -> list[Store]:
    """A partner's stores in the order of their ids."""
    statement = select(stores).where(stores.c.partner_id == partner_id).order_by(stores.c.store_id).limit(rows_max)
    if after is not None:
        statement = statement.where(stores.c.store_id > after)
    return [store_of(row) for row in (await transaction.connection.execute(statement)).mappings()]


async def find_store(
    transaction: Transaction, partner_id: str, store_id: str, *, is_locking: bool = False
) -> Store | None:
    """The store, locked to the commit if that is asked for."""
    statement = select(stores).where(stores.c.partner_id == partner_id, stores.c.store_id == store_id)
    if is_locking:
        statement = statement.with_for_update(key_share=True)
    row = (await transaction.connection.execute(statement)).mappings().first()
    return None if row is None else store_of(row)


async def update_store(transaction: Transaction, store: Store) -> None:
    """Write what a store is now; its row is locked."""
    values: dict[str, Any] = {
        "name": store.name,
        "time_zone": store.time_zone,
        "version": store.version,
        "gln": store.place.gln,
        "latitude_microdegrees": store.place.latitude_microdegrees,
        "longitude_microdegrees": store.place.longitude_microdegrees,
        "zone": store.place.zone,
        "opening_hours": orjson.loads(orjson.dumps(store.place.opening_hours)),
    }
    statement = stores.update().where(stores.c.partner_id == store.partner_id, stores.c.store_id == store.store_id)
    await transaction.connection.execute(statement.values(values))


async def lock_till(transaction: Transaction, partner_id: str, store_id: str, till_id: str) -> Till | None:
    """The till as it is, locked to the commit."""
    row = await transaction.raw.fetchrow(LOCK_TILL, partner_id, store_id, till_id)
    return None if row is None else till_of(row)


async def update_till(transaction: Transaction, till: Till) -> None:
    """Write what a till is now; its row is locked."""
    await transaction.raw.execute(
        UPDATE_TILL,
        till.partner_id,
        till.store_id,
        till.till_id,
        till.key_sha256,
        till.is_revoked,
        till.version,
        till.previous_key_sha256,
        till.previous_key_until,
    )


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


def store_of(row: RowMapping | asyncpg.Record) -> Store:
    """A row of stores."""
    place = Place(
        gln=row["gln"],
        latitude_microdegrees=row["latitude_microdegrees"],
        longitude_microdegrees=row["longitude_microdegrees"],
        zone=row["zone"],
        opening_hours=tuple(OpenHours(**hours) for hours in row["opening_hours"]),
    )
    return Store(row["partner_id"], row["store_id"], row["name"], row["time_zone"], row["version"], place)


def till_of(row: asyncpg.Record) -> Till:
    """A row of tills, as ``LOCK_TILL`` reads it."""
    return Till(**dict(row))
