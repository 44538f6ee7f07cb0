"""Bring the clients that the settings name to what the settings say. The first client must come from somewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from services.coalition.domain.audit import SETTINGS_AUTHOR, Act, facts_of
from services.coalition.domain.registry import FIRST_VERSION, ApiClient
from services.coalition.domain.scopes import judge_grant
from services.coalition.repository import clients
from services.coalition.use_cases import announcements
from services.coalition.use_cases.record_acts import record_acts
from shared import outbox
from shared.database import Database, Transaction
from shared.secret_hasher import SecretHasher


@dataclass(frozen=True, slots=True)
class DeclaredClient:
    """A client as the settings name it."""

    client_id: str
    partner_id: str | None
    scopes: tuple[str, ...]
    secret: str = field(repr=False)


async def settle_clients(database: Database, hasher: SecretHasher, declared: Sequence[DeclaredClient]) -> int:
    """Write the clients that are missing or differ, and record ApiClientChanged for each; how many were written.

    Idempotent: a second start writes nothing, and a secret is hashed anew only if it changed. Clients that the settings
    do not name stay as they are, and so does a revocation. Each client is a transaction of its own, and no secret is
    hashed inside of one.

    Raises:
        ScopeNotForPartnersError: a client is bound to a partner and given what is the programme's alone.
    """
    written = 0
    for client in declared:
        judge_grant(client.partner_id, client.scopes)
        async with database.transaction() as transaction:
            stored = await clients.find_client(transaction, client.client_id)
        if stored is not None and await hasher.verify(stored.secret_hash, client.secret):
            secret_hash = stored.secret_hash
        else:
            secret_hash = await hasher.hash(client.secret)
        wanted = ApiClient(
            client_id=client.client_id,
            partner_id=client.partner_id,
            scopes=tuple(sorted(set(client.scopes))),
            secret_hash=secret_hash,
            is_revoked=False,
            version=FIRST_VERSION,
        )
        written += await database.run(partial(_settle, wanted=wanted))
    return written


async def _settle(transaction: Transaction, wanted: ApiClient) -> bool:
    stored = await clients.find_client(transaction, wanted.client_id, is_locking=True)
    if stored is None:
        settled = wanted
        # False where another process that starts just now was quicker: it wrote the same.
        is_written = await clients.insert_client(transaction, settled)
    else:
        settled = replace(wanted, version=stored.version, is_revoked=stored.is_revoked, rate_limit=stored.rate_limit)
        is_written = settled != stored
        if is_written:
            settled = replace(settled, version=stored.version + 1)
            await clients.update_client(transaction, settled)
    if is_written:
        before = None if stored is None else facts_of(stored)
        act = Act(
            SETTINGS_AUTHOR, "api_client.settled", settled.client_id, settled.partner_id, before, facts_of(settled)
        )
        await record_acts(transaction, [act])
        await outbox.record(transaction, [announcements.client_changed(transaction, settled)])
    return is_written
