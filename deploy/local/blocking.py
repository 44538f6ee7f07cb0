"""Calling asynchronous code from synchronous code, whether or not a loop runs in this thread."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def run_blocking(coroutine: Coroutine[object, object, T]) -> T:
    """Run the coroutine to its end, in a loop and a thread of its own."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="blocking") as executor:
        return executor.submit(asyncio.run, coroutine).result()
