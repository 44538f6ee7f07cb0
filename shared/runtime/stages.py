"""The tasks of a process, and the order in which they end.

A stage is a set of tasks that end together. Tasks run until they are told; one that ends by itself, with an error or
without, is a failure of the process. Stages end in the order in which they were made, each within its bound.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Stage:
    """Tasks that are told to stop by one event, and have ``stop_seconds_max`` to do so before they are cancelled."""

    def __init__(self, name: str, stop_seconds_max: float) -> None:
        self.name = name
        self.stop_seconds_max = stop_seconds_max
        self.stop = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, run: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
        """Run a task until the stage stops."""
        self.tasks.append(asyncio.create_task(run(self.stop), name=name))

    async def end(self) -> bool:
        """Stop the tasks and wait for them; whether all ended in time and without an error."""
        self.stop.set()
        if not self.tasks:
            return True
        _, late = await asyncio.wait(self.tasks, timeout=self.stop_seconds_max)
        for task in late:
            log.error("did not stop in time: cancelled", task=task.get_name(), bound_seconds=self.stop_seconds_max)
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        return not late and all(task.cancelled() or task.exception() is None for task in self.tasks)


async def first_to_end(stages: list[Stage], stop: asyncio.Event) -> asyncio.Task[None] | None:
    """Wait for ``stop`` (None) or for a task that ended though nobody told it to."""
    told = asyncio.create_task(stop.wait(), name="stop")
    tasks = [task for stage in stages for task in stage.tasks]
    try:
        done, _ = await asyncio.wait([told, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
    ended = [task for task in tasks if task in done]
    return ended[0] if ended else None


async def end_in_order(stages: list[Stage]) -> bool:
    """End stage after stage; whether all ended well."""
    ended_well = True
    for stage in stages:
        ended_well = await stage.end() and ended_well
    return ended_well
