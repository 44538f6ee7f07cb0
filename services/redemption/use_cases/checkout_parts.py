"""Parts of one answer, side by side, each with a deadline: what fails or is late is absent and named."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from services.redemption import metrics
from services.redemption.domain.checkout import Absent, Part
from services.redemption.gateways.asking import UnansweredError
from shared.database.errors import is_connection_lost

log = structlog.get_logger(__name__)

T = TypeVar("T")


class AbsentError(Exception):
    """There is no such part of this answer, by a decision: ``reason`` is its code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CheckoutParts:
    """The parts of one answer. Taking one never raises: whatever happens to it, the others are answered."""

    def __init__(self, deadline_seconds: float) -> None:
        self._deadline_seconds = deadline_seconds
        self._absent: dict[Part, str] = {}

    @property
    def absent(self) -> list[Absent]:
        """The parts that are not there, by name, and why."""
        return [Absent(part, reason) for part, reason in sorted(self._absent.items())]

    def why_absent(self, part: Part) -> str:
        """The reason code of a part that is not there."""
        return self._absent[part]

    def leave_out(self, part: Part, reason: str) -> None:
        """This part was decided against."""
        self._absent[part] = reason
        metrics.CHECKOUT_PARTS.labels(part, "refused").inc()

    async def take(self, part: Part, work: Callable[[], Awaitable[T]]) -> T | None:
        """What the work finds within the deadline; None for a part that is absent. Work that is late is cancelled."""
        deadline = asyncio.timeout(self._deadline_seconds)
        try:
            async with deadline:
                with metrics.CHECKOUT_PART_SECONDS.labels(part).time():
                    found = await work()
        except AbsentError as error:
            self.leave_out(part, error.reason)
            return None
        except Exception as error:  # the sale goes on whatever it was; the answer, the metric and the log name it
            self._absent[part] = reason = "late" if deadline.expired() else _reason_of(error)
            metrics.CHECKOUT_PARTS.labels(part, reason).inc()
            if reason == "failed":
                log.exception("a part of a checkout failed", part=part)
            return None
        metrics.CHECKOUT_PARTS.labels(part, "there").inc()
        return found


def _reason_of(error: Exception) -> str:
    if isinstance(error, UnansweredError):
        return error.reason
    return "away" if is_connection_lost(error) else "failed"
