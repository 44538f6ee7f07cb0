"""One process of a service, from its settings to its exit code.

Started: database, clock, wiring, ``on_start``; then HTTP, consumers, periodic work, relay and upkeep, all under one
watch. Whatever of these ends by itself ends the process: a service that reads no more and still answers its health
checks is worse than one that is down. Stopped: first no more requests are taken, then consumers finish the batch in
their hands and periodic work its pass, then the relay what it has sent, then connections close.
"""

import contextlib
import time
from asyncio import Event
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from socket import socket
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

import structlog

from shared.clock import BusinessClock
from shared.database import Database
from shared.kafka import Consumer
from shared.outbox import Relay
from shared.runtime.connecting import CannotStartError, StoppedEarlyError, first_reading
from shared.runtime.context import Role, ServiceContext
from shared.runtime.failures import classify
from shared.runtime.http_app import service_app
from shared.runtime.http_server import PortTakenError, listen, serve
from shared.runtime.metrics import START_SECONDS
from shared.runtime.periodic import run_periodic
from shared.runtime.retention import SETTLED_DEAD_LETTERS, Retention
from shared.runtime.settings import ServiceSettings
from shared.runtime.stages import Stage, end_in_order, first_to_end
from shared.runtime.upkeep import keep_clock, standard_periodic
from shared.runtime.wiring import Step, Wiring
from shared.web.authentication import Authenticator
from shared.web.key_sources import HttpKeySource
from shared.web.keys import KeySource
from shared.web.rate_limit import RateLimiter

EXIT_DIED = 3
EXIT_CANNOT_START = 4
EXIT_STOPPED_LATE = 5

HTTP_STOP_SECONDS_MAX = 6.0
WORK_STOP_SECONDS_MAX = 15.0
RELAY_STOP_SECONDS_MAX = 6.0
UPKEEP_STOP_SECONDS_MAX = 2.0
STOP_SECONDS_MAX = HTTP_STOP_SECONDS_MAX + WORK_STOP_SECONDS_MAX + RELAY_STOP_SECONDS_MAX + UPKEEP_STOP_SECONDS_MAX

S = TypeVar("S", bound=ServiceSettings)

log = structlog.get_logger(__name__)


class ServiceProcess(Generic[S]):
    """A service in one role. ``run`` is called once; ``port`` and ``is_started`` are for those who wait for it."""

    def __init__(
        self,
        *,
        service: str,
        role: Role,
        settings: S,
        build: Callable[[ServiceContext[S]], Awaitable[Wiring]],
        key_source: Callable[[S], KeySource] | None = None,
    ) -> None:
        self._service = service
        self._role: Role = role
        self._settings = settings
        self._build = build
        self._key_source = key_source
        self.port = 0
        self.is_started = Event()

    async def run(self, stop: Event) -> int:
        """Work until ``stop`` or until a part dies; the exit code. Everything that was opened is closed."""
        try:
            async with AsyncExitStack() as opened:
                return await self._run(opened, stop)
        except StoppedEarlyError:
            log.info("stopped before it was started")
            return 0
        except (CannotStartError, PortTakenError) as error:
            log.critical("cannot start", reason=str(error))
        except Exception:
            log.critical("cannot start", exc_info=True)
        return EXIT_CANNOT_START

    async def _run(self, opened: AsyncExitStack, stop: Event) -> int:
        began_seconds = time.perf_counter()
        settings = self._settings
        listener = opened.enter_context(contextlib.closing(listen(settings.http_host, settings.http_port)))
        self.port = listener.getsockname()[1]
        database = Database(
            settings.database_url.get_secret_value(),
            connections_max=settings.database_connections_max,
            zone=ZoneInfo(settings.time_zone),
        )
        opened.push_async_callback(database.close)
        context = ServiceContext(
            service=self._service,
            role=self._role,
            instance=f"{self._service}-{settings.instance}",
            settings=settings,
            database=database,
            clock=BusinessClock(await first_reading(database, stop)),
            authenticator=self._authenticator(),
            kafka=settings.kafka,
        )
        wiring = await self._build(context)
        for step in reversed(wiring.on_stop):  # what was pushed last is done first
            opened.push_async_callback(_attempt, step)
        retention = Retention(database, (*wiring.retention, SETTLED_DEAD_LETTERS))
        for step in (retention.declare, *wiring.on_start):
            await step()
        stages = await self._start(context, wiring, retention, listener)
        started_seconds = time.perf_counter() - began_seconds
        START_SECONDS.set(started_seconds)
        log.info("started", port=self.port, instance=context.instance, seconds=round(started_seconds, 3))
        self.is_started.set()
        return await self._watch(stages, stop)

    def _authenticator(self) -> Authenticator:
        settings = self._settings
        keys = self._key_source(settings) if self._key_source is not None else HttpKeySource(settings.jwks_url)
        return Authenticator(
            keys,
            issuer=settings.token_issuer,
            external=settings.external_issuers,
            limiter=RateLimiter(settings.rate_limit),
        )

    async def _start(
        self, context: ServiceContext[S], wiring: Wiring, retention: Retention, listener: socket
    ) -> list[Stage]:
        http = Stage("http", HTTP_STOP_SECONDS_MAX)
        work = Stage("work", WORK_STOP_SECONDS_MAX)
        relay = Stage("relay", RELAY_STOP_SECONDS_MAX)
        upkeep = Stage("upkeep", UPKEEP_STOP_SECONDS_MAX)
        upkeep.start("clock", partial(keep_clock, context.database, context.clock))
        if context.serves_http:
            if wiring.find_till is not None:
                context.authenticator.accept_tills(wiring.find_till)
            upkeep.start("token keys", context.authenticator.run)
        if context.consumes:
            for consumer in self._consumers(context, wiring):
                work.start("consumer", consumer.run)
            relay.start("relay", Relay(context.database, context.kafka, context.instance).run)
        for periodic in (*wiring.periodic, *await standard_periodic(context, retention)):
            if context.consumes or periodic.in_every_role:
                work.start(f"periodic {periodic.name}", partial(run_periodic, periodic, context.clock))
        http.start("http", partial(serve, service_app(context, wiring), listener))
        return [http, work, relay, upkeep]

    def _consumers(self, context: ServiceContext[S], wiring: Wiring) -> list[Consumer[Any]]:
        return [
            Consumer(
                settings=context.kafka,
                service=context.service,
                instance=context.instance,
                events=subscription.events,
                handler=subscription.handler,
                clock=context.clock,
                classify=classify,
                limits=subscription.limits,
                wants=subscription.wants,
                unknown_types=subscription.unknown_types,
            )
            for subscription in wiring.subscriptions
        ]

    @staticmethod
    async def _watch(stages: list[Stage], stop: Event) -> int:
        died = await first_to_end(stages, stop)
        if died is None:
            log.info("stopping")
        else:
            error = None if died.cancelled() else died.exception()
            log.critical("a part of the process ended: stopping the rest", part=died.get_name(), exc_info=error)
        ended_well = await end_in_order(stages)
        log.info("stopped", in_time=ended_well)
        if died is not None:
            return EXIT_DIED
        return 0 if ended_well else EXIT_STOPPED_LATE


async def _attempt(step: Step) -> None:
    """A step of closing: its failure is told and does not keep the others from closing."""
    try:
        await step()
    except Exception:
        log.exception("closing failed")
