"""How redemption asks a neighbour while a till waits: with our token, behind a circuit, and never for long."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal, TypeAlias

import httpx2

from services.redemption.gateways.circuit import Circuit, NeighbourAwayError
from shared.web.access_tokens import TokenUnavailableError

Asking: TypeAlias = Callable[[], Awaitable[httpx2.Response]]
UnansweredReason: TypeAlias = Literal["away", "failed"]

STATUS_OF_FAULTS_MIN = 500


class UnansweredError(Exception):
    """The neighbour gave no answer that means anything. The message quotes nothing that it said."""

    def __init__(self, reason: UnansweredReason, message: str) -> None:
        super().__init__(message)
        self.reason: UnansweredReason = reason


class _FaultError(Exception):
    """It answered, with a fault of its own."""


async def ask(circuit: Circuit, asking: Asking) -> httpx2.Response:
    """The answer to one question. The caller sets the deadline: a call that it cancels has failed.

    Raises:
        UnansweredError: it is away or faulty, or no token could be had.
    """
    try:
        with circuit.call(httpx2.HTTPError, TokenUnavailableError, _FaultError, asyncio.CancelledError):
            return _meant(await asking())
    except _FaultError:
        raise UnansweredError("failed", "it answered with a fault") from None
    except (httpx2.HTTPError, TokenUnavailableError, NeighbourAwayError) as error:
        raise UnansweredError("away", f"it did not answer ({type(error).__name__})") from None


def _meant(answer: httpx2.Response) -> httpx2.Response:
    if answer.status_code >= STATUS_OF_FAULTS_MIN:
        raise _FaultError
    return answer
