"""Statements on API clients."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import RowMapping

from services.coalition.domain.registry import ApiClient, RateLimit
from services.coalition.tables import api_clients
from shared.database import Transaction
from shared.roles import PERSON_PREFIX


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
    return None if row is None else _client(row)


async def load_clients(
    transaction: Transaction, *, are_people: bool, partner_id: str | None, after: str | None, rows_max: int
) -> list[ApiClient]:
    """Clients, or people, in the order of their ids; ``partner_id`` leaves those that are bound to it."""
    statement = select(api_clients).order_by(api_clients.c.client_id).limit(rows_max)
    is_a_person = api_clients.c.client_id.startswith(PERSON_PREFIX)
    statement = statement.where(is_a_person if are_people else ~is_a_person)
    if partner_id is not None:
        statement = statement.where(api_clients.c.partner_id == partner_id)
    if after is not None:
        statement = statement.where(api_clients.c.client_id > after)
    return [_client(row) for row in (await transaction.connection.execute(statement)).mappings()]


async def lock_clients(transaction: Transaction, *, after: str, rows_max: int) -> list[ApiClient]:
    """Clients and people in the order of their ids, locked to the commit."""
    statement = select(api_clients).where(api_clients.c.client_id > after).order_by(api_clients.c.client_id)
    found = await transaction.connection.execute(statement.limit(rows_max).with_for_update(key_share=True))
    return [_client(row) for row in found.mappings()]


async def count_clients(transaction: Transaction) -> int:
    """How many there are, revoked ones included."""
    return int((await transaction.connection.execute(select(func.count()).select_from(api_clients))).scalar_one())


def _client(row: RowMapping) -> ApiClient:
    return ApiClient(
        client_id=row["client_id"],
        partner_id=row["partner_id"],
        scopes=tuple(row["scopes"]),
        secret_hash=row["secret_hash"],
        is_revoked=row["is_revoked"],
        version=row["version"],
        previous_secret_hash=row["previous_secret_hash"],
        previous_valid_until=row["previous_valid_until"],
        roles=tuple(row["roles"]),
        rate_limit=None
        if row["rate_limit_requests"] is None
        else RateLimit(row["rate_limit_requests"], row["rate_limit_window_seconds"]),
    )


def _client_values(client: ApiClient) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "partner_id": client.partner_id,
        "scopes": list(client.scopes),
        "secret_hash": client.secret_hash,
        "is_revoked": client.is_revoked,
        "version": client.version,
        "previous_secret_hash": client.previous_secret_hash,
        "previous_valid_until": client.previous_valid_until,
        "roles": list(client.roles),
        "rate_limit_requests": None if client.rate_limit is None else client.rate_limit.requests,
        "rate_limit_window_seconds": None if client.rate_limit is None else client.rate_limit.window_seconds,
    }
