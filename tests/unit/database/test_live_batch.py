"""Look-ups that share statements."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from shared.database.live_batch import LiveBatch


class Shelf:
    """What is looked up, and every statement that asked for it. A statement waits until it is let go."""

    def __init__(self, **things: int) -> None:
        self.things = things
        self.statements: list[list[str]] = []
        self.is_open = asyncio.Event()
        self.fault: Exception | None = None

    async def load(self, keys: Sequence[str]) -> Mapping[str, int]:
        self.statements.append(sorted(keys))
        seen = dict(self.things)
        await self.is_open.wait()
        if self.fault is not None:
            raise self.fault
        return {key: seen[key] for key in keys if key in seen}


async def started(batch: LiveBatch[str, int], *keys: str) -> list["asyncio.Task[int | None]"]:
    tasks = [asyncio.create_task(batch.find(key)) for key in keys]
    for _ in range(3):  # they ask, and the first statement goes out
        await asyncio.sleep(0)
    return tasks


async def test_one_alone_goes_out_at_once() -> None:
    shelf = Shelf(a=1)
    shelf.is_open.set()
    batch = LiveBatch(shelf.load)
    assert await batch.find("a") == 1
    assert await batch.find("nothing") is None
    assert shelf.statements == [["a"], ["nothing"]]


async def test_what_comes_meanwhile_shares_the_next_statement() -> None:
    shelf = Shelf(a=1, b=2, c=3)
    batch = LiveBatch(shelf.load)
    first = await started(batch, "a")
    later = await started(batch, "b", "c", "b")
    shelf.is_open.set()
    assert await asyncio.gather(*first, *later) == [1, 2, 3, 2]
    assert shelf.statements == [["a"], ["b", "c"]]


async def test_who_asks_after_a_change_sees_it_though_a_statement_is_under_way() -> None:
    shelf = Shelf(a=1)
    batch = LiveBatch(shelf.load)
    before = await started(batch, "a")
    shelf.things["a"] = 2
    after = await started(batch, "a")
    shelf.is_open.set()
    assert await asyncio.gather(*before, *after) == [1, 2]


async def test_a_statement_asks_for_no_more_than_its_bound() -> None:
    shelf = Shelf(**dict.fromkeys("abcdef", 0))
    batch = LiveBatch(shelf.load, keys_max=2)
    tasks = await started(batch, "a", *"bcdef")
    shelf.is_open.set()
    await asyncio.gather(*tasks)
    assert max(len(keys) for keys in shelf.statements) == 2


async def test_a_fault_reaches_those_who_waited_for_it_and_nobody_after() -> None:
    shelf = Shelf(a=1)
    shelf.fault = ConnectionError("gone")
    batch = LiveBatch(shelf.load)
    tasks = await started(batch, "a", "a")
    shelf.is_open.set()
    assert [type(end) for end in await asyncio.gather(*tasks, return_exceptions=True)] == [ConnectionError] * 2
    shelf.fault = None
    assert await batch.find("a") == 1


async def test_who_goes_away_takes_no_answer_from_others() -> None:
    shelf = Shelf(a=1)
    batch = LiveBatch(shelf.load)
    leaving, staying = await started(batch, "a", "a")
    leaving.cancel()
    shelf.is_open.set()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await staying == 1
