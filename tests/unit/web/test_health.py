"""Readiness says what fails, each check within its own deadline."""

import asyncio

import httpx2

from shared.web import Check, create_app


async def good() -> None:
    """Answers."""


async def broken() -> None:
    """Fails with a reason."""
    raise RuntimeError("no partition for next month: run tessera migrate")


async def hanging() -> None:
    """Never answers."""
    await asyncio.Event().wait()


async def test_ready_names_what_fails() -> None:
    checks = [Check("good", good), Check("broken", broken), Check("hanging", hanging, deadline_seconds=0.01)]
    app = create_app(title="test", authenticator=None, checks=checks)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        live = await client.get("/health/live")
        ready = await client.get("/health/ready")
        metrics = await client.get("/metrics")

    assert (live.status_code, live.json()) == (200, {"status": "live"})
    assert ready.status_code == 503
    assert ready.json()["checks"] == {
        "good": "ok",
        "broken": "no partition for next month: run tessera migrate",
        "hanging": "no answer within 0.01 s",
    }
    assert 'tessera_ready_check{check="broken"} 0.0' in metrics.text
    assert "python_info" in metrics.text


async def test_ready_without_failures_is_200() -> None:
    app = create_app(title="test", authenticator=None, checks=[Check("good", good)])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        ready = await client.get("/health/ready")

    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "checks": {"good": "ok"}})
