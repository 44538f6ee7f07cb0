"""The smallest service that has every part: for tests of the runtime, in this process or as one of its own.

It is ``notifications`` to the database and to Kafka: it reads the points topic.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import SecretStr

from shared.events.catalogue import POINTS
from shared.kafka import ConsumerLimits, KafkaSettings
from shared.runtime import Periodic, Role, ServiceContext, ServiceSettings, Subscription, Wiring, run_service
from shared.runtime.process import ServiceProcess
from shared.web import Principal, StaticKeySource, requires
from tests.support.consuming import Remembering
from tests.support.tokens import Issuer
from tests.support.until import WAIT_SECONDS_MAX

SERVICE = "notifications"


@dataclass
class SmallService:
    """A service whose parts the test holds in its hands. ``told`` lists what was called, in order."""

    settings: ServiceSettings
    handler: Remembering = field(default_factory=Remembering)
    limits: ConsumerLimits = field(default_factory=ConsumerLimits)
    issuer: Issuer = field(default_factory=Issuer)
    periodic: tuple[Periodic, ...] = ()
    on_start: tuple[Callable[[], Awaitable[None]], ...] = ()
    told: list[str] = field(default_factory=list)
    is_asked: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    context: ServiceContext[ServiceSettings] | None = None

    async def build(self, context: ServiceContext[ServiceSettings]) -> Wiring:
        """Every part once."""
        self.context = context
        return Wiring(
            routers=(self._router(),),
            subscriptions=(Subscription(POINTS, self.handler, self.limits),),
            periodic=self.periodic,
            on_start=(self._tell("started"), *self.on_start),
            on_stop=(self._tell("stopped first"), self._fail, self._tell("stopped last")),
        )

    def _router(self) -> APIRouter:
        router = APIRouter(prefix="/v1")

        @router.get("/who")
        async def who(principal: Annotated[Principal, requires("messages:read")]) -> str:
            return principal.client_id

        @router.get("/slow")
        async def slow(principal: Annotated[Principal, requires("messages:read")]) -> str:
            self.is_asked.set()
            await self.may_answer.wait()
            return principal.client_id

        return router

    def _tell(self, what: str) -> Callable[[], Awaitable[None]]:
        async def tell() -> None:
            self.told.append(what)

        return tell

    async def _fail(self) -> None:
        raise RuntimeError("closing failed")

    def process(self, role: Role) -> ServiceProcess[ServiceSettings]:
        """A process of this service that was not started yet."""
        return ServiceProcess(
            service=SERVICE,
            role=role,
            settings=self.settings,
            build=self.build,
            key_source=lambda _: StaticKeySource(self.issuer.jwks),
        )

    @asynccontextmanager
    async def running(self, role: Role) -> AsyncIterator["Running"]:
        """Started, and stopped at the end of the block unless it ended before."""
        process, stop = self.process(role), asyncio.Event()
        task = asyncio.create_task(process.run(stop))
        started = asyncio.create_task(process.is_started.wait())
        try:
            await asyncio.wait((task, started), timeout=WAIT_SECONDS_MAX, return_when=asyncio.FIRST_COMPLETED)
            yield Running(process, stop, task)
        finally:
            started.cancel()
            stop.set()
            await task


@dataclass(frozen=True, slots=True)
class Running:
    """A process in this process."""

    process: ServiceProcess[ServiceSettings]
    stop: asyncio.Event
    task: "asyncio.Task[int]"

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.process.port}"

    async def exit_code(self) -> int:
        """What it ended with."""
        return await asyncio.wait_for(asyncio.shield(self.task), WAIT_SECONDS_MAX)


def settings_for(database_url: str, kafka: KafkaSettings, **changes: Any) -> ServiceSettings:
    """Settings as the environment would give them, with any free port."""
    given: dict[str, Any] = {
        "database_url": SecretStr(database_url),
        "kafka_bootstrap_servers": kafka.bootstrap_servers,
        "topic_prefix": kafka.topic_prefix,
        "topic_partitions": kafka.partitions,
        "http_port": 0,
        "identifier_key": SecretStr("00" * 32),
    }
    return ServiceSettings(**(given | changes))


if __name__ == "__main__":

    async def build(context: ServiceContext[ServiceSettings]) -> Wiring:
        """With the environment's settings."""
        return await SmallService(context.settings).build(context)

    run_service(SERVICE, ServiceSettings, build, key_source=lambda _: StaticKeySource(Issuer().jwks))
