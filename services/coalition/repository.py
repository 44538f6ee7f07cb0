"""Every statement on the registry.

Who changes a partner's stores or tills locks the partner first: events of one partner bear one key on Kafka, and the
lock puts them into the outbox in the order of the commits.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import RowMapping

from services.coalition.domain.registry import ApiClient, Partner, Store, Till
from services.coalition.tables import api_clients, partners, stores
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


async def insert_partner(transaction: Transaction, partner: Partner) -> bool:
    """Whether the id was free: then the partner is written."""
    statement = (
        insert(partners)
        .values(
            partner_id=partner.partner_id,
            name=partner.name,
            state=partner.state,
            line_tolerance_minor=partner.line_tolerance_minor,
            receipt_tolerance_minor=partner.receipt_tolerance_minor,
            version=partner.version,
            registered_at=transaction.now,
        )
        .on_conflict_do_nothing()
        .returning(partners.c.partner_id)
    )
    return (await transaction.connection.execute(statement)).first() is not None


async def lock_partner(transaction: Transaction, partner_id: str) -> bool:
    """Whether there is such a partner: then it is locked to the commit."""
    statement = select(partners.c.partner_id).where(partners.c.partner_id == partner_id).with_for_update(key_share=True)
    return (await transaction.connection.execute(statement)).first() is not None


async def find_partner(transaction: Transaction, partner_id: str) -> Partner | None:
    """The partner with this id."""
    statement = select(partners).where(partners.c.partner_id == partner_id)
    row = (await transaction.connection.execute(statement)).mappings().first()
    return None if row is None else _partner(row)


async def load_partners(
    transaction: Transaction, *, only: str | None, after: str | None, rows_max: int
) -> list[Partner]:
    """Partners in the order of their ids; ``only`` leaves at most the one with that id."""
    statement = select(partners).order_by(partners.c.partner_id).limit(rows_max)
    if only is not None:
        statement = statement.where(partners.c.partner_id == only)
    if after is not None:
        statement = statement.where(partners.c.partner_id > after)
    return [_partner(row) for row in (await transaction.connection.execute(statement)).mappings()]


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


async def insert_client(transaction: Transaction, client: ApiClient) -> bool:
    """Whether the id was free: then the client is written."""
    statement = (
        insert(api_clients)
        .values(registered_at=transaction.now, **_client_values(client))
        .on_conflict_do_nothing()
        .returning(api_clients.c.client_id)
    )
    return (await transaction.connection.execute(statement)).first() is not None


async def update_client(transaction: Transaction, client: ApiClient) -> None:
    """Write what a client is now; its row is locked."""
    statement = api_clients.update().where(api_clients.c.client_id == client.client_id).values(_client_values(client))
    await transaction.connection.execute(statement)


async def find_client(transaction: Transaction, client_id: str, *, is_locking: bool = False) -> ApiClient | None:
    """The client with this id; locked to the commit if that is asked for."""
    statement = select(api_clients).where(api_clients.c.client_id == client_id)
    if is_locking:
        statement = statement.with_for_update(key_share=True)
    row = (await transaction.connection.execute(statement)).mappings().first()
    if row is None:
        return None
    return ApiClient(
        client_id=row["client_id"],
        partner_id=row["partner_id"],
        scopes=tuple(row["scopes"]),
        secret_hash=row["secret_hash"],
        is_revoked=row["is_revoked"],
        version=row["version"],
    )


def _partner(row: RowMapping) -> Partner:
    return Partner(
        partner_id=row["partner_id"],
        name=row["name"],
        state=row["state"],
        line_tolerance_minor=row["line_tolerance_minor"],
        receipt_tolerance_minor=row["receipt_tolerance_minor"],
        version=row["version"],
    )


def _client_values(client: ApiClient) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "partner_id": client.partner_id,
        "scopes": list(client.scopes),
        "secret_hash": client.secret_hash,
        "is_revoked": client.is_revoked,
        "version": client.version,
    }
