"""Register a machine that calls the API, or a person."""

from services.coalition.domain.audit import Act, facts_of
from services.coalition.domain.errors import ClientExistsError, PartnerNotFoundError, TooManyClientsError
from services.coalition.domain.registry import ApiClient
from services.coalition.domain.scopes import judge_grant
from services.coalition.repository import clients, partners
from services.coalition.use_cases import announcements
from services.coalition.use_cases.record_acts import record_acts
from shared import outbox
from shared.database import Transaction
from shared.web.known_clients import CLIENTS_MAX


async def register_client(transaction: Transaction, client: ApiClient, author: str) -> None:
    """Write a client, and record the act and ApiClientChanged.

    Raises:
        ScopeNotForPartnersError: it is bound to a partner and asks for what is the programme's alone.
        PartnerNotFoundError: it is bound to a partner that is not there.
        ClientExistsError: the id is taken.
        TooManyClientsError: every process keeps all clients in memory, so there is a bound on them.
    """
    judge_grant(client.partner_id, client.scopes)
    if client.partner_id is not None and await partners.find_partner(transaction, client.partner_id) is None:
        raise PartnerNotFoundError("there is no such partner to bind a client to")
    if await clients.count_clients(transaction) >= CLIENTS_MAX:
        raise TooManyClientsError(f"there are {CLIENTS_MAX} clients already, revoked ones included")
    if not await clients.insert_client(transaction, client):
        raise ClientExistsError(f"there is a client {client.client_id} already")
    action = "person.registered" if client.roles else "api_client.registered"
    act = Act(author, action, client.client_id, client.partner_id, after=facts_of(client))
    await record_acts(transaction, [act])
    await outbox.record(transaction, [announcements.client_changed(transaction, client)])
