"""Is the process alive; is it ready; what do its numbers say."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import orjson
import structlog
from fastapi import APIRouter, Request, Response

from shared.telemetry.failures import message_of
from shared.telemetry.metrics import EXPOSITION_TYPE, exposition
from shared.web.metrics import CHECKS

CHECK_DEADLINE_SECONDS = 1.0

log = structlog.get_logger(__name__)
router = APIRouter(tags=["health"], include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must work for the service to be of use. ``probe`` raises, with a reason, where it does not."""

    name: str
    probe: Callable[[], Awaitable[object]]
    deadline_seconds: float = CHECK_DEADLINE_SECONDS


async def run_checks(checks: Sequence[Check]) -> dict[str, str]:
    """All checks at once, each within its own deadline: "ok", or why not."""
    results = await asyncio.gather(*(_run_check(check) for check in checks))
    return {check.name: result for check, result in zip(checks, results, strict=True)}


async def _run_check(check: Check) -> str:
    try:
        async with asyncio.timeout(check.deadline_seconds):
            await check.probe()
    except Exception as error:  # noqa: BLE001 -- whatever a probe raises is the reason why it failed
        CHECKS.labels(check.name).set(0)
        is_late = isinstance(error, TimeoutError) and not str(error)
        reason = f"no answer within {check.deadline_seconds} s" if is_late else message_of(error)
        log.warning("readiness check failed", check=check.name, reason=reason, kind=type(error).__name__)
        return reason or type(error).__name__
    CHECKS.labels(check.name).set(1)
    return "ok"


@router.get("/health/live")
async def live() -> dict[str, str]:
    """The event loop turns."""
    return {"status": "live"}


@router.get("/health/ready")
async def ready(request: Request) -> Response:
    """Everything that the service needs answers: 200; otherwise 503 with what does not, by name."""
    checks: Sequence[Check] = request.app.state.checks
    results = await run_checks(checks)
    is_ready = all(result == "ok" for result in results.values())
    body = {"status": "ready" if is_ready else "not ready", "checks": results}
    return Response(orjson.dumps(body), 200 if is_ready else 503, media_type="application/json")


@router.get("/metrics")
async def metrics() -> Response:
    """Prometheus text."""
    return Response(exposition(), media_type=EXPOSITION_TYPE)
