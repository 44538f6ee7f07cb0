"""Parts of one answer, side by side, each with a deadline: what fails or is late is absent and named."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, get_args

import structlog

from services.redemption import metrics
from services.redemption.domain.checkout import Absent, Part
from services.redemption.gateways.asking import UnansweredError, within
from shared.database.errors import is_connection_lost

log = structlog.get_logger(__name__)

T = TypeVar("T")

# All other reasons are decisions, and no trouble.
TROUBLES = frozenset({"late", "away", "failed"})


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

    def leave_out(self, part: Part, reason: str) -> None:
        """This part was decided against."""
        self._absent[part] = reason

    def decided(self, part: Part, found: T | AbsentError) -> T | None:
        """A part that was taken together with others, unless it was decided against."""
        if isinstance(found, AbsentError):
            self.leave_out(part, found.reason)
            return None
        return found

    def why_absent(self, part: Part) -> str:
        """The reason code of a part that is not there."""
        return self._absent[part]

    async def take(self, work: Callable[[], Awaitable[T]], *parts: Part) -> T | None:
        """What the work finds within the deadline; None, and these parts absent, where it does not. Work that is late
        is cancelled."""
        began_seconds = time.perf_counter()
        is_late = False
        try:
            async with within(self._deadline_seconds) as deadline:
                try:
                    return await work()
                finally:
                    is_late = deadline.expired()
        except AbsentError as error:
            reason = error.reason
        except Exception as error:  # the sale goes on whatever it was; the answer, the metric and the log name it
            reason = "late" if is_late else _reason_of(error)
            if reason == "failed":
                log.exception("a part of a checkout failed", part=parts[0])
        finally:
            for part in parts:
                metrics.CHECKOUT_PART_SECONDS.labels(part).observe(time.perf_counter() - began_seconds)
        self._absent |= dict.fromkeys(parts, reason)
        return None

    def answered(self) -> list[Absent]:
        """Count what became of every part; those that are not there come back, by name."""
        for part in get_args(Part):
            reason = self._absent.get(part)
            outcome = "there" if reason is None else reason if reason in TROUBLES else "refused"
            metrics.CHECKOUT_PARTS.labels(part, outcome).inc()
        return [Absent(part, reason) for part, reason in sorted(self._absent.items())]


def _reason_of(error: Exception) -> str:
    if isinstance(error, UnansweredError):
        return error.reason
    return "away" if is_connection_lost(error) else "failed"
