"""How long statements waited for locks, in PostgreSQL's own words: it writes waits of more than a millisecond down."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

# A wait is noted down once it has lasted for ``deadlock_timeout``: here for a millisecond. Only rows and transactions
# count: pages and extensions of files are waited for by everybody.
_ACQUIRED = re.compile(
    r"^.*?\] (?P<role>\w+)@\S* LOG: +process \d+ acquired \w+ on (?:transaction|tuple) .* after (?P<ms>[\d.]+) ms",
    re.MULTILINE,
)
_ON = ("alter system set deadlock_timeout = '1ms'", "alter system set log_lock_waits = on", "select pg_reload_conf()")
_OFF = ("alter system reset deadlock_timeout", "alter system reset log_lock_waits", "select pg_reload_conf()")


@dataclass(slots=True)
class LockWaits:
    """Waits of one role, in milliseconds, of those that lasted for more than one."""

    ms: list[float] = field(default_factory=list)

    @property
    def longest_ms(self) -> float:
        """The longest; 0 where nobody waited for more than a millisecond."""
        return max(self.ms, default=0.0)


@asynccontextmanager
async def lock_waits(admin: asyncpg.Connection, log: Path, role: str) -> AsyncIterator[LockWaits]:
    """Write down for how long a role waits for rows while the block lasts; complete when the block has ended."""
    waits = LockWaits()
    await _all(admin, _ON)
    before = await asyncio.to_thread(log.read_bytes)
    try:
        yield waits
    finally:
        text = (await asyncio.to_thread(log.read_bytes))[len(before) :].decode(errors="replace")
        waits.ms.extend(float(found["ms"]) for found in _ACQUIRED.finditer(text) if found["role"] == role)
        await _all(admin, _OFF)


async def _all(admin: asyncpg.Connection, statements: Sequence[str]) -> None:
    for statement in statements:
        await admin.execute(statement)
