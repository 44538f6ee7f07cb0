"""What every process does beside its service's work: keep the clock, answer whether it is ready, clean up."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import structlog
from asyncpg import PostgresError
from sqlalchemy.exc import SQLAlchemyError

from shared.clock import BusinessClock
from shared.database import Database
from shared.runtime.context import ServiceContext
from shared.runtime.metrics import CLOCK_READINGS
from shared.runtime.periodic import pause
from shared.runtime.retention import Retention
from shared.runtime.wiring import Periodic
from shared.web.authentication import Authenticator
from shared.web.health import Check
from shared.web.idempotency import FORGET_ROWS_MAX, forget_answers
from shared.web.known_clients import CLIENTS_REFRESH_SECONDS

CLOCK_REFRESH_SECONDS = 1.0
CLOCK_DEADLINE_SECONDS = 5.0
FORGET_INTERVAL_SECONDS = 60.0
RETENTION_INTERVAL_SECONDS = 3_600.0

log = structlog.get_logger(__name__)


async def keep_clock(database: Database, clock: BusinessClock, stop: asyncio.Event) -> None:
    """Tell the clock what the database says, every second. While the database is away the clock goes on by itself."""
    while not stop.is_set():
        try:
            async with asyncio.timeout(CLOCK_DEADLINE_SECONDS), database.transaction() as transaction:
                clock.observe(transaction.now)
        except (SQLAlchemyError, PostgresError, OSError) as error:
            CLOCK_READINGS.labels("failed").inc()
            log.warning("the clock could not be read", error=type(error).__name__)
        else:
            CLOCK_READINGS.labels("done").inc()
        await pause(stop, CLOCK_REFRESH_SECONDS)


def standard_checks(context: ServiceContext[Any]) -> tuple[Check, ...]:
    """The database; the issuer's keys where routes need them; a broker where topics are read."""
    checks = [Check("database", partial(_reach_database, context.database))]
    if context.serves_http:
        checks.append(Check("token_keys", partial(_have_keys, context.authenticator)))
    if context.consumes:
        checks.append(Check("kafka", partial(_reach_broker, context.kafka.bootstrap_servers)))
    return tuple(checks)


async def standard_periodic(context: ServiceContext[Any], retention: Retention) -> Sequence[Periodic]:
    """Data are let go when their time is over, and old answers are forgotten; clients are kept where routes need them.

    The clients are read once before this returns: no request is answered without them.
    """
    database = context.database
    periodic = [Periodic("retention", RETENTION_INTERVAL_SECONDS, retention.run)]
    async with database.transaction() as transaction:
        keeps_answers = await transaction.raw.fetchval("select to_regclass('idempotency') is not null")
    if keeps_answers:
        periodic.append(Periodic("forget_answers", FORGET_INTERVAL_SECONDS, partial(_forget_answers, database)))
    if context.serves_http:
        refresh = partial(context.authenticator.clients.refresh, database)
        await refresh()
        periodic.append(Periodic("refresh_clients", CLIENTS_REFRESH_SECONDS, refresh, in_every_role=True))
    return periodic


async def _forget_answers(database: Database) -> None:
    """Page by page, each in its own transaction, so that nobody waits for a large one."""
    forgotten = FORGET_ROWS_MAX
    while forgotten == FORGET_ROWS_MAX:
        forgotten = await database.run(forget_answers)


async def _reach_database(database: Database) -> None:
    async with database.transaction():
        pass


async def _have_keys(authenticator: Authenticator) -> None:
    if not authenticator.is_ready:
        raise RuntimeError("the token issuer's keys were not loaded yet: see TESSERA_JWKS_URL")


async def _reach_broker(bootstrap_servers: str) -> None:
    """Whether any of the brokers takes a connection."""
    reasons = []
    for server in bootstrap_servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        except OSError as error:
            reasons.append(f"{server}: {error.strerror or type(error).__name__}")
            continue
        writer.close()
        return
    raise RuntimeError("; ".join(reasons))
