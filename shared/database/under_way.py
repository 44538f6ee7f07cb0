"""Computing while a statement is under way: the server and this process work at the same time, on one connection."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

SLICE_ITEMS = 50  # well under a millisecond of the work that is done here


@asynccontextmanager
async def under_way(statement: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
    """Start ``statement``, run the block meanwhile, and leave when both are done.

    The block must not use the statement's connection. Whatever fails, the statement has ended when this raises, so that
    the connection can be rolled back; an error of the statement comes before one of the block.
    """
    running = asyncio.ensure_future(statement)
    try:
        yield
    finally:
        await running


async def in_slices(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """``work`` on each item, in order. Between slices others take their turn: what is under way, other tasks."""
    await asyncio.sleep(0)  # a statement that was just started is handed over,
    await asyncio.sleep(0)  # and its bytes leave this process
    done: list[R] = []
    for number, item in enumerate(items, 1):
        done.append(work(item))
        if number % SLICE_ITEMS == 0:
            await asyncio.sleep(0)
    return done
