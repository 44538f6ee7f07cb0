"""The first words with the database: wait while it starts, and say clearly what no waiting will mend."""

import asyncio
from datetime import datetime

import structlog
from asyncpg import PostgresError
from sqlalchemy.exc import SQLAlchemyError

from shared.database import Database
from shared.database.errors import postgres_error_of
from shared.runtime.periodic import pause

WAIT_SECONDS_MAX = 30.0
PAUSE_SECONDS = 0.5

log = structlog.get_logger(__name__)

_WHAT_TO_DO = {
    "28": "the role or its password is wrong: check TESSERA_DATABASE_URL",
    "3D": "there is no such database: check TESSERA_DATABASE_URL",
    "42": "the schema is not there or not ours: run tessera migrate",
}


class CannotStartError(Exception):
    """The process cannot start; the message is for people and says what to do."""


class StoppedEarlyError(Exception):
    """Told to stop before anything was started."""


async def first_reading(database: Database, stop: asyncio.Event) -> datetime:
    """Business time, as soon as the database answers.

    Raises:
        CannotStartError: it did not answer within ``WAIT_SECONDS_MAX``, or refuses us for good.
        StoppedEarlyError: ``stop`` came first.
    """
    loop = asyncio.get_running_loop()
    give_up_at_seconds = loop.time() + WAIT_SECONDS_MAX
    while True:
        try:
            async with database.transaction() as transaction:
                return transaction.now
        except (SQLAlchemyError, PostgresError, OSError) as error:
            _raise_if_hopeless(error)
            if loop.time() >= give_up_at_seconds:
                raise CannotStartError(
                    f"the database did not answer within {WAIT_SECONDS_MAX:.0f} s ({type(error).__name__}): start it, "
                    "or check TESSERA_DATABASE_URL"
                ) from error
            log.info("waiting for the database", error=type(error).__name__)
            await pause(stop, PAUSE_SECONDS)
            if stop.is_set():
                raise StoppedEarlyError from error


def _raise_if_hopeless(error: Exception) -> None:
    postgres_error = postgres_error_of(error)
    sqlstate = str(postgres_error.sqlstate) if postgres_error is not None else ""
    advice = _WHAT_TO_DO.get(sqlstate[:2])
    if advice is not None:
        raise CannotStartError(f"the database refuses us ({sqlstate}): {advice}") from error
