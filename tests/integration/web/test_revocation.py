"""A client that coalition revokes is refused by the other services: over the real broker, from their memory."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from services.accrual import app as accrual
from services.accrual.settings import AccrualSettings
from services.coalition import app as coalition
from services.coalition.settings import CoalitionSettings
from services.members import app as members
from services.members.settings import MembersSettings
from shared.database import Database
from shared.events.catalogue import COALITION
from shared.events.coalition import ApiClientChanged, ApiClientData, RateLimitData
from shared.ids import new_id
from shared.kafka import KafkaSettings
from shared.web.known_clients import REVOKED_EVERYWHERE_SECONDS_MAX, KnownClients, project_clients
from shared.web.rate_limit import Policy
from tests.support.databases import FreshDatabase
from tests.support.registries import MASTER_KEYS, SIGNING_KEY, bearing
from tests.support.running import running
from tests.support.until import until

GRANT = {"grant_type": "client_credentials"}


@asynccontextmanager
async def three_services(
    database: FreshDatabase, kafka: KafkaSettings
) -> AsyncIterator[tuple[httpx2.AsyncClient, httpx2.AsyncClient, httpx2.AsyncClient]]:
    """Coalition and members as they run, and accrual's api beside its worker, as in production."""
    async with AsyncExitStack() as opened:
        issuing = await opened.enter_async_context(
            running(
                "coalition", CoalitionSettings, coalition.build, database, "both", kafka,
                signing_key=json.dumps(SIGNING_KEY),
            )
        )  # fmt: skip
        registry = await opened.enter_async_context(
            running(
                "members",
                MembersSettings,
                members.build,
                database,
                "both",
                kafka,
                master_keys=MASTER_KEYS,
                client_secret="s" * 32,
            )
        )
        await opened.enter_async_context(running("accrual", AccrualSettings, accrual.build, database, "worker", kafka))
        door = await opened.enter_async_context(
            running("accrual", AccrualSettings, accrual.build, database, "api", kafka)
        )
        yield issuing, registry, door


async def test_a_revoked_client_is_refused_everywhere_within_the_bound(
    fresh_database: FreshDatabase, kafka_settings: KafkaSettings, record_property: Any
) -> None:
    async with three_services(fresh_database, kafka_settings) as (issuing, registry, door):
        scopes = ["members:read", "receipts:read", "clients:read"]
        registered = await issuing.post(
            "/v1/api-clients", json={"client_id": "pos", "scopes": scopes}, headers=bearing("clients:write")
        )
        secret = registered.json()["client_secret"]
        issued = await issuing.post("/oauth/token", data=GRANT, auth=("pos", secret))
        headers = {"Authorization": f"Bearer {issued.json()['access_token']}"}
        asked = (
            (issuing, "/v1/api-clients/pos"),
            (registry, f"/v1/members/{uuid4()}"),
            (door, "/v1/receipts/AAAA"),
        )

        async def statuses() -> list[int]:
            return [(await service.get(path, headers=headers)).status_code for service, path in asked]

        assert await statuses() == [200, 404, 404]

        await issuing.post(
            "/v1/api-clients/pos/scopes:replace",
            json={"scopes": ["receipts:read", "clients:read"]},
            headers=bearing("clients:write"),
        )

        async def has_lost_a_scope() -> bool:
            return await statuses() == [200, 403, 404]

        await until(has_lost_a_scope, seconds_max=REVOKED_EVERYWHERE_SECONDS_MAX)

        revoked = await issuing.post(
            "/v1/api-clients/pos/revoke", json={"why": "stolen"}, headers=bearing("clients:write")
        )
        assert revoked.status_code == 200
        began_seconds = time.monotonic()

        async def is_refused_everywhere() -> bool:
            return await statuses() == [401, 401, 401]

        await until(is_refused_everywhere, seconds_max=REVOKED_EVERYWHERE_SECONDS_MAX)
        record_property("revoked_everywhere_seconds", round(time.monotonic() - began_seconds, 2))


async def test_a_client_is_held_to_its_own_limit_everywhere_within_the_bound(
    fresh_database: FreshDatabase, kafka_settings: KafkaSettings
) -> None:
    async with three_services(fresh_database, kafka_settings) as services:
        issuing = services[0]
        scopes = ["members:read", "receipts:read", "clients:read"]
        asked = ("/v1/api-clients/pos", f"/v1/members/{uuid4()}", "/v1/receipts/AAAA")
        await issuing.post(
            "/v1/api-clients", json={"client_id": "pos", "scopes": scopes}, headers=bearing("clients:write")
        )

        async def told() -> list[str]:
            headers = bearing(*scopes, client_id="pos")
            return [
                (await service.get(path, headers=headers)).headers["RateLimit-Policy"]
                for service, path in zip(services, asked, strict=True)
            ]

        assert await told() == ['"client";q=50000;w=10'] * 3  # as the services are set
        body = {"rate_limit": {"requests": 2_000, "window_seconds": 60}, "why": "agreed"}
        headers = bearing("clients:write")
        assert (await issuing.post("/v1/api-clients/pos/rate-limit:replace", json=body, headers=headers)).is_success

        async def is_kept_everywhere() -> bool:
            return await told() == ['"client";q=2000;w=60'] * 3

        await until(is_kept_everywhere, seconds_max=REVOKED_EVERYWHERE_SECONDS_MAX)


def changed(
    version: int,
    *,
    is_revoked: bool = False,
    scopes: tuple[str, ...] = ("rules:read",),
    rate_limit: RateLimitData | None = None,
) -> ApiClientChanged:
    data = ApiClientData(client_id="pos", version=version, scopes=scopes, is_revoked=is_revoked, rate_limit=rate_limit)
    return ApiClientChanged(id=new_id(), source="coalition", subject="pos", time=datetime.now(UTC), data=data)


@pytest.mark.parametrize("service", ["members", "accrual", "redemption", "fraud", "notifications"])
async def test_a_replay_and_an_old_version_change_nothing(database_of: Any, service: str) -> None:
    database: Database = database_of(service)
    clients = KnownClients()
    history = [changed(1), changed(3, is_revoked=True), changed(2, scopes=())]

    async def known(*events: ApiClientChanged) -> tuple[frozenset[str], bool]:
        async with database.transaction() as transaction:
            await project_clients(transaction, [COALITION.read(event.to_bytes()) for event in events])
        await clients.refresh(database)
        found = clients.find("pos")
        assert found is not None
        return found.scopes, found.is_revoked

    assert await known(history[0]) == (frozenset({"rules:read"}), False)
    assert await known(*history[1:]) == (frozenset({"rules:read"}), True)
    assert await known(*history) == (frozenset({"rules:read"}), True)
    assert await known(history[2]) == (frozenset({"rules:read"}), True)
    assert await known(changed(4, scopes=())) == (frozenset(), False)


@pytest.mark.parametrize("service", ["members", "accrual", "redemption", "fraud", "notifications"])
async def test_a_limit_is_kept_to_as_the_highest_version_says(database_of: Any, service: str) -> None:
    database: Database = database_of(service)
    clients = KnownClients()
    own = RateLimitData(requests=5, window_seconds=60)

    async def limit_after(*events: ApiClientChanged) -> Policy | None:
        async with database.transaction() as transaction:
            await project_clients(transaction, [COALITION.read(event.to_bytes()) for event in events])
        await clients.refresh(database)
        found = clients.find("pos")
        assert found is not None
        return found.rate_limit

    assert await limit_after(changed(1)) is None
    assert await limit_after(changed(3, rate_limit=own), changed(2)) == Policy(5, 60)
    assert await limit_after(changed(2), changed(1)) == Policy(5, 60)
    assert await limit_after(changed(4)) is None
