"""Computing while a statement is under way."""

import asyncio

import pytest

from shared.database.under_way import SLICE_ITEMS, in_slices, under_way


async def test_the_block_runs_while_the_statement_waits_for_its_answer() -> None:
    answered, seen = asyncio.Event(), []

    async def statement() -> None:
        seen.append("sent")
        await answered.wait()
        seen.append("answered")

    async with under_way(statement()):
        assert await in_slices(lambda number: number * 2, range(3)) == [0, 2, 4]
        seen.append("computed")
        answered.set()
    assert seen == ["sent", "computed", "answered"]


async def test_others_take_their_turn_between_slices() -> None:
    turns: list[int] = []
    done: list[int] = []

    async def other() -> None:
        while True:
            turns.append(len(done))
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await in_slices(done.append, range(2 * SLICE_ITEMS))
    task.cancel()
    assert {0, SLICE_ITEMS} <= set(turns)


async def test_a_block_that_fails_leaves_no_statement_behind() -> None:
    ended = asyncio.Event()

    async def statement() -> None:
        await asyncio.sleep(0)
        ended.set()

    with pytest.raises(LookupError, match="in the block"):
        async with under_way(statement()):
            raise LookupError("in the block")
    assert ended.is_set()


async def test_the_statements_error_comes_first() -> None:
    async def statement() -> None:
        raise ConnectionError("the statement")

    with pytest.raises(ConnectionError, match="the statement") as caught:
        async with under_way(statement()):
            raise LookupError("in the block")
    assert isinstance(caught.value.__context__, LookupError)


async def test_whoever_is_cancelled_meanwhile_cancels_the_statement() -> None:
    ended = asyncio.Event()

    async def statement() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def caller() -> None:
        async with under_way(statement()):
            await in_slices(str, range(1))

    task = asyncio.create_task(caller())
    for _ in range(5):  # into the block, and out of it
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
