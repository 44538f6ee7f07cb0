"""Waiting for a condition, with a bound: the only way in which a test waits."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

WAIT_SECONDS_MAX = 30.0
LOOK_SECONDS = 0.02

T = TypeVar("T")


async def until(look: Callable[[], Awaitable[T] | T], *, seconds_max: float = WAIT_SECONDS_MAX) -> T:
    """Look again and again until there is something to see; what was seen. TimeoutError after ``seconds_max``."""
    async with asyncio.timeout(seconds_max):
        while True:
            seen = look()
            value = await seen if isinstance(seen, Awaitable) else seen
            if value:
                return value
            await asyncio.sleep(LOOK_SECONDS)
