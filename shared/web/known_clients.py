"""API clients as every service knows them: a revocation, or a scope that was withdrawn, ends tokens that were issued
before. The limit that a client has of its own is known by the same way.

``project_clients`` writes what ``ApiClientChanged`` says into the service's own table, in the transaction of a batch;
``KnownClients`` keeps that table in memory, so that no request waits for a look at it. A client that is not known here
yet is judged by its token alone: its issuer knew it, and a fact that has not arrived refuses nobody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from shared.database import Database, Transaction
from shared.events.coalition import ApiClientChanged
from shared.events.envelope import Event
from shared.web.principal import Principal
from shared.web.rate_limit import Policy

# From the answer to a revocation until every process refuses the client's tokens: the outbox, the topic, the
# projection, and at most one CLIENTS_REFRESH_SECONDS.
REVOKED_EVERYWHERE_SECONDS_MAX = 30.0
CLIENTS_REFRESH_SECONDS = 2.0
# Every process has all of them in memory; the service that registers them keeps to this.
CLIENTS_MAX = 10_000

API_CLIENTS_DDL: tuple[str, ...] = (
    """
    create table api_clients (
        client_id text collate "C" primary key,
        scopes text[] not null,
        is_revoked boolean not null,
        version bigint not null constraint api_clients_version_counts check (version >= 1)
    )
    """,
)

# Of coalition's own table too, which is the one that its processes read.
RATE_LIMITS_DDL: tuple[str, ...] = (
    """
    alter table api_clients
        add column rate_limit_requests integer constraint api_clients_requests_positive check (rate_limit_requests > 0),
        add column rate_limit_window_seconds integer
            constraint api_clients_window_positive check (rate_limit_window_seconds > 0),
        add constraint api_clients_limit_is_whole
            check ((rate_limit_requests is null) = (rate_limit_window_seconds is null))
    """,
)

_SAVE = """
    insert into api_clients (
        client_id, scopes, is_revoked, version, rate_limit_requests, rate_limit_window_seconds
    )
    select client_id, string_to_array(scopes, ' '), is_revoked, version, rate_limit_requests, rate_limit_window_seconds
    from unnest($1::text[], $2::text[], $3::boolean[], $4::bigint[], $5::integer[], $6::integer[])
        as incoming (client_id, scopes, is_revoked, version, rate_limit_requests, rate_limit_window_seconds)
    order by client_id collate "C"
    on conflict (client_id) do update
        set scopes = excluded.scopes, is_revoked = excluded.is_revoked, version = excluded.version,
            rate_limit_requests = excluded.rate_limit_requests,
            rate_limit_window_seconds = excluded.rate_limit_window_seconds
        where excluded.version > api_clients.version
"""

# No row goes away and versions only rise: where both are as they were, nothing has changed.
_FINGERPRINT = "select count(*), coalesce(sum(version), 0)::bigint from api_clients"
_LOAD = """
    select client_id, scopes, is_revoked, rate_limit_requests, rate_limit_window_seconds from api_clients
"""


@dataclass(frozen=True, slots=True)
class KnownClient:
    """What a client may do at present, and how often where that is not what the settings say."""

    scopes: frozenset[str]
    is_revoked: bool
    rate_limit: Policy | None = None


async def project_clients(transaction: Transaction, events: Iterable[Event]) -> None:
    """Write the clients among a batch's events. Idempotent: a row changes only to a higher version."""
    newest: dict[str, ApiClientChanged] = {}
    for event in events:
        if isinstance(event, ApiClientChanged):
            known = newest.get(event.data.client_id)
            if known is None or event.data.version > known.data.version:
                newest[event.data.client_id] = event
    if newest:
        clients = [event.data for event in newest.values()]
        await transaction.raw.execute(
            _SAVE,
            [client.client_id for client in clients],
            [" ".join(client.scopes) for client in clients],
            [client.is_revoked for client in clients],
            [client.version for client in clients],
            [client.rate_limit.requests if client.rate_limit is not None else None for client in clients],
            [client.rate_limit.window_seconds if client.rate_limit is not None else None for client in clients],
        )


class KnownClients:
    """One process's memory of the clients. ``refresh`` is called every ``CLIENTS_REFRESH_SECONDS``."""

    def __init__(self) -> None:
        self._clients: Mapping[str, KnownClient] = {}
        self._fingerprint: tuple[int, int] | None = None

    async def refresh(self, database: Database) -> None:
        """Read the table where it has changed since the last time."""
        async with database.transaction() as transaction:
            fingerprint = tuple(await transaction.raw.fetchrow(_FINGERPRINT) or (0, 0))
            if fingerprint == self._fingerprint:
                return
            rows = await transaction.raw.fetch(_LOAD)
        # A row that is committed between the two statements is read twice at worst, and missed never.
        self._clients = {
            row["client_id"]: KnownClient(
                frozenset(row["scopes"]),
                row["is_revoked"],
                Policy(row["rate_limit_requests"], row["rate_limit_window_seconds"])
                if row["rate_limit_requests"] is not None
                else None,
            )
            for row in rows
        }
        self._fingerprint = fingerprint

    def find(self, client_id: str) -> KnownClient | None:
        """What is known of a client."""
        return self._clients.get(client_id)


def left_of(principal: Principal, known: KnownClient | None) -> Principal | None:
    """What a token is still good for: None where its client is revoked, else with the scopes that the client still has.

    Pure.
    """
    if known is None or (not known.is_revoked and principal.scopes <= known.scopes):
        return principal
    return None if known.is_revoked else replace(principal, scopes=principal.scopes & known.scopes)
