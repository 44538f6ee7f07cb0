"""Connections of the pool for asyncpg alone. What SQLAlchemy does around each of its own costs as much as a short
statement, and who talks to asyncpg needs none of it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NoReturn, TypeAlias, cast

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util import greenlet_spawn

if TYPE_CHECKING:
    from sqlalchemy.pool import PoolProxiedConnection

RawConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"


class Lent:
    """One connection, until it goes back."""

    def __init__(self, pooled: "PoolProxiedConnection") -> None:
        self._pooled = pooled
        raw: RawConnection | None = pooled.driver_connection
        if raw is None:
            raise RuntimeError("the pool gave no connection")
        self.raw = raw

    async def invalidate(self) -> None:
        """Close it: whatever went wrong may have gone wrong with it, and the pool would hand it out again."""
        await greenlet_spawn(self._pooled.invalidate)

    def give_back(self) -> None:
        """Let others have it, where it is still good. Nobody waits: SQLAlchemy knows of nothing to be rolled back."""
        if self._pooled.is_valid:
            self._pooled.close()


@asynccontextmanager
async def lent(engine: AsyncEngine) -> AsyncIterator[Lent]:
    """A connection for this block, which leaves nothing open on it, or invalidates it."""
    connection = Lent(await engine.raw_connection())
    try:
        yield connection
    finally:
        connection.give_back()


class _Refused:
    """Stands where SQLAlchemy's connection would be."""

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError(f"{name}: in a manually started transaction, of which SQLAlchemy knows nothing, ask raw")


NOT_FOR_SQLALCHEMY = cast("AsyncConnection", _Refused())
