"""Read API clients, and people. Changes nothing."""

from services.coalition.domain.errors import ClientNotFoundError
from services.coalition.domain.registry import ApiClient
from services.coalition.repository import clients
from shared.database import Transaction


async def read_client(transaction: Transaction, client_id: str) -> ApiClient:
    """The client.

    Raises:
        ClientNotFoundError: there is none.
    """
    client = await clients.find_client(transaction, client_id)
    if client is None:
        raise ClientNotFoundError("there is no such client")
    return client


async def read_clients(
    transaction: Transaction, *, are_people: bool = False, partner_id: str | None, after: str | None, rows_max: int
) -> list[ApiClient]:
    """Up to ``rows_max`` clients, or people, after an id, in the order of ids; of one partner where it is given."""
    return await clients.load_clients(
        transaction, are_people=are_people, partner_id=partner_id, after=after, rows_max=rows_max
    )
