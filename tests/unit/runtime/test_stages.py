"""Tasks end in the order of their stages, within their bounds, and a death is noticed."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from shared.runtime.periodic import BACK_OFF_SECONDS_MAX, pause_seconds_after
from shared.runtime.stages import Stage, end_in_order, first_to_end


def waiting(told: list[str], name: str) -> Callable[[asyncio.Event], Coroutine[Any, Any, None]]:
    async def run(stop: asyncio.Event) -> None:
        await stop.wait()
        told.append(name)

    return run


async def failing(_: asyncio.Event) -> None:
    raise RuntimeError("died")


async def deaf(_: asyncio.Event) -> None:
    await asyncio.Event().wait()


async def returning(_: asyncio.Event) -> None:
    return


async def test_stages_end_one_after_another() -> None:
    told: list[str] = []
    first, second = Stage("first", 1.0), Stage("second", 1.0)
    second.start("c", waiting(told, "c"))
    first.start("a", waiting(told, "a"))
    first.start("b", waiting(told, "b"))

    assert await end_in_order([first, second]) is True
    assert told == ["a", "b", "c"]


async def test_a_task_that_does_not_hear_is_cancelled_and_the_rest_still_end() -> None:
    told: list[str] = []
    first, second, empty = Stage("first", 0.01), Stage("second", 1.0), Stage("empty", 1.0)
    first.start("deaf", deaf)
    second.start("b", waiting(told, "b"))

    assert await end_in_order([first, second, empty]) is False
    assert told == ["b"]
    assert first.tasks[0].cancelled()


async def test_who_dies_is_named() -> None:
    stage = Stage("work", 1.0)
    stage.start("lives", waiting([], "lives"))
    stage.start("dies", failing)

    died = await first_to_end([stage], asyncio.Event())

    assert died is not None
    assert (died.get_name(), str(died.exception())) == ("dies", "died")
    assert await end_in_order([stage]) is False


async def test_who_returns_though_nobody_asked_has_died_too() -> None:
    stage = Stage("work", 1.0)
    stage.start("returns", returning)

    died = await first_to_end([stage], asyncio.Event())

    assert died is not None
    assert died.get_name() == "returns"


async def test_told_to_stop_nobody_has_died() -> None:
    stage, stop = Stage("work", 1.0), asyncio.Event()
    stage.start("lives", waiting([], "lives"))
    stop.set()

    assert await first_to_end([stage], stop) is None
    assert await end_in_order([stage]) is True


def test_the_pause_grows_with_failures_to_a_bound() -> None:
    pauses = [pause_seconds_after(1.0, failures) for failures in range(12)]

    assert pauses[:5] == [1.0, 1.0, 1.0, 2.0, 4.0]
    assert pauses == sorted(pauses)
    assert pauses[-1] == BACK_OFF_SECONDS_MAX
    assert pause_seconds_after(60.0, 3) == 60.0
