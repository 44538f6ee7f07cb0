"""A service as it runs: its own process code in this event loop, on a free port, with a client of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx2

from shared.database.roles import role_name
from shared.kafka import KafkaSettings
from shared.runtime import Role, ServiceContext, Wiring
from shared.runtime.process import ServiceProcess
from shared.runtime.settings import ServiceSettings
from shared.web import StaticKeySource
from tests.support.databases import FreshDatabase
from tests.support.registries import REQUIRED, SIGNER
from tests.support.until import until

STARTED_SECONDS_MAX = 30.0
STOPPED_SECONDS_MAX = 40.0
REQUEST_SECONDS_MAX = 60.0

S = TypeVar("S", bound=ServiceSettings)


@asynccontextmanager
async def running(
    service: str,
    settings_class: type[S],
    build: Callable[[ServiceContext[S]], Awaitable[Wiring]],
    database: FreshDatabase,
    role: Role,
    kafka: KafkaSettings | None = None,
    **others: Any,
) -> AsyncIterator[httpx2.AsyncClient]:
    """The service in one role until the block ends; it must stop in order."""
    settings = settings_class.model_validate(
        REQUIRED | {"database_url": database.url(role_name(service)), "http_port": 0} | _of(kafka) | others
    )
    process = ServiceProcess(
        service=service,
        role=role,
        settings=settings,
        build=build,
        key_source=lambda _: StaticKeySource(SIGNER.public_jwks()),
    )
    stop = asyncio.Event()
    task = asyncio.create_task(process.run(stop))
    try:
        await asyncio.wait_for(process.is_started.wait(), STARTED_SECONDS_MAX)
        no_limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)  # races need one each
        async with httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{process.port}", timeout=REQUEST_SECONDS_MAX, limits=no_limits, trust_env=False
        ) as client:

            async def is_ready() -> bool:
                return bool((await client.get("/health/ready")).status_code == httpx2.codes.OK)

            await until(is_ready)
            yield client
    finally:
        stop.set()
        assert await asyncio.wait_for(task, STOPPED_SECONDS_MAX) == 0


def _of(kafka: KafkaSettings | None) -> dict[str, Any]:
    if kafka is None:
        return {}
    return {
        "kafka_bootstrap_servers": kafka.bootstrap_servers,
        "topic_prefix": kafka.topic_prefix,
        "topic_partitions": kafka.partitions,
    }
