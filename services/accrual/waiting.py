"""Lets many requests wait for their receipts: one statement every 20 ms asks for all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

from services.accrual.repository.outcomes import ReceiptOutcome

ASK_INTERVAL_SECONDS = 0.02
WAITING_MAX = 1_000
WAIT_SECONDS_MAX = 30

LoadOutcomes = Callable[[Collection[bytes]], Awaitable[dict[bytes, ReceiptOutcome]]]


class OutcomeWaiter:
    """One a process. Waiting is a courtesy: whoever finds it full, or the database away, is told to ask later."""

    def __init__(self, load_outcomes: LoadOutcomes) -> None:
        self._load_outcomes = load_outcomes
        self._waiting: dict[bytes, list[asyncio.Future[ReceiptOutcome]]] = {}
        self._count = 0
        self._asking: asyncio.Task[None] | None = None

    async def wait(self, key: bytes, wait_seconds: float) -> ReceiptOutcome | None:
        """What became of the key, or None when the time is over or too many wait already."""
        if self._count >= WAITING_MAX:
            return None
        outcome: asyncio.Future[ReceiptOutcome] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(outcome)
        self._count += 1
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        try:
            async with asyncio.timeout(wait_seconds):
                return await outcome
        except TimeoutError:
            return None
        finally:
            self._forget(key, outcome)

    def _forget(self, key: bytes, outcome: "asyncio.Future[ReceiptOutcome]") -> None:
        self._count -= 1
        others = self._waiting.get(key)
        if others is not None:
            others.remove(outcome)
            if not others:
                del self._waiting[key]

    async def _ask(self) -> None:
        while self._waiting:
            try:
                found = await self._load_outcomes(tuple(self._waiting))
            except Exception as error:  # noqa: BLE001 -- handed to everybody who waits, who answer 503
                self._fail(error)
                return
            for key, outcome in found.items():
                for waiting in self._waiting.get(key, ()):
                    if not waiting.done():
                        waiting.set_result(outcome)
            await asyncio.sleep(ASK_INTERVAL_SECONDS)

    def _fail(self, error: Exception) -> None:
        for waiting in self._waiting.values():
            for outcome in waiting:
                if not outcome.done():
                    outcome.set_exception(error)
