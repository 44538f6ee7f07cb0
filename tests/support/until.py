"""Waiting for a condition, with a bound: the only way in which a test waits."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

WAIT_SECONDS_MAX = 30.0
LOOK_SECONDS = 0.02

T = TypeVar("T")


@overload
async def until(
    look: Callable[[], Awaitable[T | None]],
    *,
    seconds_max: float = WAIT_SECONDS_MAX,
    look_seconds: float = LOOK_SECONDS,
) -> T: ...
@overload
async def until(
    look: Callable[[], bool], *, seconds_max: float = WAIT_SECONDS_MAX, look_seconds: float = LOOK_SECONDS
) -> bool: ...


async def until(
    look: Callable[[], object], *, seconds_max: float = WAIT_SECONDS_MAX, look_seconds: float = LOOK_SECONDS
) -> object:
    """Look again and again until there is something to see; what was seen. TimeoutError after ``seconds_max``."""
    async with asyncio.timeout(seconds_max):
        while True:
            seen = look()
            if inspect.isawaitable(seen):
                seen = await seen
            if seen:
                return seen
            await asyncio.sleep(look_seconds)
