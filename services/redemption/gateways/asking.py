"""How redemption asks a neighbour while a till waits: with our token, behind a circuit, and never for long."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Literal, TypeAlias

import httpx2

from services.redemption.gateways.circuit import Circuit, NeighbourAwayError
from shared.web.access_tokens import TokenUnavailableError

Asking: TypeAlias = Callable[[], Awaitable[httpx2.Response]]
UnansweredReason: TypeAlias = Literal["away", "failed"]

STATUS_OF_FAULTS_MIN = 500
_TIMER_SECONDS = 0.0001
_DUE_SECONDS: ContextVar[float | None] = ContextVar("due_seconds", default=None)


class UnansweredError(Exception):
    """The neighbour gave no answer that means anything. The message quotes nothing that it said."""

    def __init__(self, reason: UnansweredReason, message: str) -> None:
        super().__init__(message)
        self.reason: UnansweredReason = reason


class _FaultError(Exception):
    """It answered, with a fault of its own."""


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[asyncio.Timeout]:
    """The deadline of whatever is asked in the block: what is late is cancelled, and has failed.

    Raises:
        TimeoutError: it was late.
    """
    async with asyncio.timeout(seconds) as deadline:
        before = _DUE_SECONDS.set(deadline.when())
        try:
            yield deadline
        finally:
            _DUE_SECONDS.reset(before)


async def ask(circuit: Circuit, asking: Asking) -> httpx2.Response:
    """The answer to one question. The caller sets the deadline (``within``): a call that is cancelled by it has failed.
    One that is cancelled earlier, since the till itself went away, says nothing of the neighbour.

    Raises:
        UnansweredError: it is away or faulty, or no token could be had.
    """
    try:
        with circuit.call(httpx2.HTTPError, TokenUnavailableError, _FaultError):
            return _meant(await asking())
    except asyncio.CancelledError:
        if _is_late():
            circuit.failed()
        raise
    except _FaultError:
        raise UnansweredError("failed", "it answered with a fault") from None
    except (httpx2.HTTPError, TokenUnavailableError, NeighbourAwayError) as error:
        raise UnansweredError("away", f"it did not answer ({type(error).__name__})") from None


def _is_late() -> bool:
    due_seconds = _DUE_SECONDS.get()
    # A timer may go off by as much too early as the loop's clock is coarse.
    return due_seconds is not None and asyncio.get_running_loop().time() >= due_seconds - _TIMER_SECONDS


def _meant(answer: httpx2.Response) -> httpx2.Response:
    if answer.status_code >= STATUS_OF_FAULTS_MIN:
        raise _FaultError
    return answer
