"""A neighbour that lets a till wait too long has failed; a till that goes away has not made it fail."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx2
import pytest

from services.redemption.gateways.asking import UnansweredError, ask, within
from services.redemption.gateways.circuit import FAILURES_IN_A_ROW_MAX, Circuit


async def _for_ever() -> httpx2.Response:
    await asyncio.get_running_loop().create_future()
    raise AssertionError("unreachable")


async def _at_once() -> httpx2.Response:
    return httpx2.Response(200)


async def _late(circuit: Circuit) -> None:
    with pytest.raises(TimeoutError):
        async with within(0.001):
            await ask(circuit, _for_ever)


async def _till_gone(circuit: Circuit) -> None:
    async def part() -> None:
        async with within(60):
            await ask(circuit, _for_ever)

    async def checkout() -> None:
        await asyncio.gather(part(), part())

    task = asyncio.create_task(checkout())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(("cut_off", "is_away"), [(_late, True), (_till_gone, False)])
async def test_only_what_was_waited_for_to_the_deadline_counts(
    cut_off: Callable[[Circuit], Awaitable[None]], is_away: bool
) -> None:
    circuit = Circuit("accrual", lambda: 0.0)
    for _ in range(FAILURES_IN_A_ROW_MAX):
        await cut_off(circuit)
    if is_away:
        with pytest.raises(UnansweredError):
            await ask(circuit, _at_once)
    else:
        assert (await ask(circuit, _at_once)).status_code == 200
