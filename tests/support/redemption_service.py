"""The redemption service as it runs: its own process code on a free port, in this event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from services.redemption.app import build
from services.redemption.settings import RedemptionSettings
from shared.kafka import KafkaSettings
from shared.runtime import Role
from shared.runtime.process import ServiceProcess
from shared.web import StaticKeySource
from tests.support.databases import FreshDatabase
from tests.support.redemption import KEY
from tests.support.registries import REQUIRED, SIGNER
from tests.support.until import until

STARTED_SECONDS_MAX = 30.0
STOPPED_SECONDS_MAX = 40.0
REQUEST_SECONDS_MAX = 60.0


@asynccontextmanager
async def redemption_service(
    database: FreshDatabase, role: Role, kafka: KafkaSettings | None = None, **others: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """The service in one role, and a client of it; it must stop in order."""
    settings = RedemptionSettings.model_validate(
        REQUIRED
        | {"database_url": database.url("tessera_redemption"), "http_port": 0, "identifier_key": KEY.secret.hex()}
        | (_of(kafka) if kafka is not None else {})
        | others
    )
    process = ServiceProcess(
        service="redemption",
        role=role,
        settings=settings,
        build=build,
        key_source=lambda _: StaticKeySource(SIGNER.public_jwks()),
    )
    stop = asyncio.Event()
    running = asyncio.create_task(process.run(stop))
    try:
        await asyncio.wait_for(process.is_started.wait(), STARTED_SECONDS_MAX)
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
        async with httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{process.port}", timeout=REQUEST_SECONDS_MAX, limits=limits, trust_env=False
        ) as client:

            async def is_ready() -> bool:
                return bool((await client.get("/health/ready")).status_code == 200)

            await until(is_ready)
            yield client
    finally:
        stop.set()
        assert await asyncio.wait_for(running, STOPPED_SECONDS_MAX) == 0


def _of(kafka: KafkaSettings) -> dict[str, Any]:
    return {
        "kafka_bootstrap_servers": kafka.bootstrap_servers,
        "topic_prefix": kafka.topic_prefix,
        "topic_partitions": kafka.partitions,
    }
