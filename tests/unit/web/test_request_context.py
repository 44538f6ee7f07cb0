"""What surrounds a request: its trace, its bound, its end when the caller has gone."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import APIRouter
from prometheus_client import REGISTRY
from starlette.types import Message

from shared.telemetry.trace_context import current_traceparent, trace_id_of
from shared.web import create_app, current_request_id, request_context

TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"

router = APIRouter(prefix="/v1")
is_inside, may_go_on = asyncio.Event(), asyncio.Event()


@router.get("/context")
async def context() -> dict[str, str | None]:
    """What the route knows of its request."""
    return {"traceparent": current_traceparent(), "request_id": current_request_id()}


@router.get("/slow/{thing}")
async def slow(thing: str) -> str:
    """Waits until it is let go."""
    is_inside.set()
    await may_go_on.wait()
    return thing


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    is_inside.clear()
    may_go_on.clear()
    app = create_app(title="test", authenticator=None, routers=[router])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as opened:
        yield opened


async def test_the_callers_trace_goes_on_under_a_span_of_ours(client: httpx2.AsyncClient) -> None:
    told = (await client.get("/v1/context", headers={"traceparent": TRACE, "X-Request-Id": "request-1"})).json()

    assert told["request_id"] == "request-1"
    assert trace_id_of(told["traceparent"]) == "a" * 32
    assert told["traceparent"] != TRACE


@pytest.mark.parametrize("given", [None, "garbage", "00-" + "0" * 32 + "-" + "b" * 16 + "-01"])
async def test_without_a_good_trace_a_new_one_begins(client: httpx2.AsyncClient, given: str | None) -> None:
    headers = {"traceparent": given} if given is not None else {}

    told = (await client.get("/v1/context", headers=headers)).json()

    assert trace_id_of(told["traceparent"]) not in (None, "0" * 32)
    assert current_traceparent() is None


async def test_beyond_the_bound_requests_are_refused_and_health_is_not(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_context, "REQUESTS_IN_FLIGHT_MAX", 1)
    first = asyncio.create_task(client.get("/v1/slow/1"))
    await is_inside.wait()

    refused = await client.get("/v1/context")
    healthy = await client.get("/health/live")
    may_go_on.set()

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json()["type"].endswith("/overloaded")
    assert healthy.status_code == 200
    assert (await first).json() == "1"
    assert (await client.get("/v1/context")).status_code == 200


async def test_a_caller_who_goes_away_is_counted_and_leaves_nothing_in_flight() -> None:
    is_inside.clear()
    may_go_on.clear()
    app = create_app(title="test", authenticator=None, routers=[router])
    labels = {"method": "GET", "route": "/v1/slow/{thing}", "status_class": "none"}
    before = REGISTRY.get_sample_value("tessera_http_requests_total", labels) or 0.0

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Message) -> None:
        raise AssertionError("nobody is there to be answered")

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/v1/slow/1",
        "raw_path": b"/v1/slow/1",
        "query_string": b"",
        "headers": [],
        "http_version": "1.1",
        "scheme": "http",
    }
    request = asyncio.create_task(app(scope, receive, send))
    await is_inside.wait()
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)

    assert REGISTRY.get_sample_value("tessera_http_requests_total", labels) == before + 1
    assert REGISTRY.get_sample_value("tessera_http_requests_in_flight") == 0


async def test_a_trailing_slash_is_another_route(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/v1/context/")).status_code == 404
