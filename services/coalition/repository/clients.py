"""Statements on API clients."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.coalition.domain.registry import ApiClient
from services.coalition.tables import api_clients
from shared.database import Transaction


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


def _client_values(client: ApiClient) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "partner_id": client.partner_id,
        "scopes": list(client.scopes),
        "secret_hash": client.secret_hash,
        "is_revoked": client.is_revoked,
        "version": client.version,
    }
