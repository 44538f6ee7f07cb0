"""Change an API client: another secret, other scopes, revocation."""

from collections.abc import Callable

from services.coalition.domain.audit import Act, facts_of
from services.coalition.domain.errors import ClientNotFoundError
from services.coalition.domain.registry import ApiClient
from services.coalition.repository import clients
from services.coalition.use_cases import announcements
from services.coalition.use_cases.record_acts import record_acts
from shared import outbox
from shared.database import Transaction


async def change_client(
    transaction: Transaction,
    client_id: str,
    change: Callable[[ApiClient], ApiClient],
    *,
    action: str,
    author: str,
    why: str | None,
) -> ApiClient:
    """The client after ``change`` (one of ``domain/clients.py``), which is written, recorded as an act and published.

    Holds the client's row to the commit. A change that changes nothing writes nothing.

    Raises:
        ClientNotFoundError: there is none.
        CoalitionRefusalError: what ``change`` raises.
    """
    before = await clients.find_client(transaction, client_id, is_locking=True)
    if before is None:
        raise ClientNotFoundError("there is no such client")
    after = change(before)
    if after != before:
        await clients.update_client(transaction, after)
        act = Act(author, action, client_id, after.partner_id, facts_of(before), facts_of(after), why)
        await record_acts(transaction, [act])
        await outbox.record(transaction, [announcements.client_changed(transaction, after)])
    return after
