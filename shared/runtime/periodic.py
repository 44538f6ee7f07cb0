"""Work that comes round again: after a failure too, later each time, until the process stops."""

import asyncio
import time
from contextlib import suppress

import structlog

from shared.clock import BusinessClock
from shared.runtime.metrics import PERIODIC_PASSED_THROUGH, PERIODIC_PASSES, PERIODIC_SECONDS
from shared.runtime.wiring import Periodic

BACK_OFF_SECONDS_MIN = 0.5
BACK_OFF_SECONDS_MAX = 30.0

log = structlog.get_logger(__name__)


async def run_periodic(periodic: Periodic, clock: BusinessClock, stop: asyncio.Event) -> None:
    """Pass after pass until ``stop``, with ``interval_seconds`` between the end of one and the start of the next."""
    failures_in_a_row = 0
    while not stop.is_set():
        failures_in_a_row = 0 if await _pass(periodic, clock) else failures_in_a_row + 1
        await pause(stop, pause_seconds_after(periodic.interval_seconds, failures_in_a_row))


def pause_seconds_after(interval_seconds: float, failures_in_a_row: int) -> float:
    """How long to wait: the interval, and doubled with each failure up to ``BACK_OFF_SECONDS_MAX``."""
    if failures_in_a_row == 0:
        return interval_seconds
    doubled = BACK_OFF_SECONDS_MIN * 2.0 ** min(failures_in_a_row - 1, 10)
    return max(interval_seconds, min(doubled, BACK_OFF_SECONDS_MAX))


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, but not beyond ``stop``."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


async def _pass(periodic: Periodic, clock: BusinessClock) -> bool:
    began_at, began_seconds = clock.now(), time.perf_counter()
    deadline = asyncio.timeout(periodic.pass_seconds_max)
    try:
        async with deadline:
            await periodic.work()
    except Exception:  # whatever it was, the next pass tries again; the metric and the log say that it failed
        outcome = "late" if deadline.expired() else "failed"
        PERIODIC_PASSES.labels(periodic.name, outcome).inc()
        log.exception("periodic work failed", work=periodic.name, outcome=outcome)
        return False
    PERIODIC_PASSES.labels(periodic.name, "done").inc()
    PERIODIC_SECONDS.labels(periodic.name).observe(time.perf_counter() - began_seconds)
    PERIODIC_PASSED_THROUGH.labels(periodic.name).set(began_at.timestamp())
    return True
