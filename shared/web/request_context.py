"""What surrounds every request: its id, its trace, its metrics, and the last net under it.

Pure ASGI: nothing is buffered and no task is added, so the cost is a few microseconds and contextvars reach the
route.
"""

import re
import secrets
import time
from contextvars import ContextVar
from functools import cache

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.telemetry.trace_context import child_traceparent, traced
from shared.web.metrics import REQUEST_SECONDS, REQUESTS, REQUESTS_IN_FLIGHT
from shared.web.problems import Problem, problem_response

REQUEST_ID_HEADER = "X-Request-Id"
# Where the authorisation of a request leaves the headers that tell its caller of the limit.
RATE_LIMIT_SCOPE = "tessera.rate_limit"
UNMATCHED_ROUTE = "unmatched"
# A door may keep a thousand tills waiting for their award; beyond twice that, waiting in line helps nobody.
REQUESTS_IN_FLIGHT_MAX = 2_000

_WELL_FORMED_ID = re.compile(r"^[A-Za-z0-9._-]{8,128}$")
_ALWAYS_ANSWERED = ("/health/", "/metrics")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NOTHING: dict[str, str] = {}
_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

log = structlog.get_logger(__name__)


def current_request_id() -> str | None:
    """The id of the request that this task answers, as its caller sees it in ``X-Request-Id``."""
    return _request_id.get()


def route_label(scope: Scope) -> str:
    """The route's template, so that a metric has as many values as the application has routes."""
    route = scope.get("route")
    template = getattr(route, "path_format", None) or getattr(route, "path", None)
    return template if isinstance(template, str) else UNMATCHED_ROUTE


class RequestContext:
    """Gives each request an id and a trace, measures it, and turns what nobody caught into a 500 problem.

    A caller's ``X-Request-Id`` is taken if it is 8 to 128 letters, digits and ``. _ -``; otherwise one is made. It is
    echoed, stands in every log line of the request and in every problem. Beyond ``REQUESTS_IN_FLIGHT_MAX`` requests
    at once, all but health and metrics are refused with 503.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get(REQUEST_ID_HEADER)
        request_id = given if given is not None and _WELL_FORMED_ID.match(given) else secrets.token_hex(16)
        traceparent = child_traceparent(headers.get("traceparent"))
        token = _request_id.set(request_id)
        try:
            with traced(traceparent), structlog.contextvars.bound_contextvars(request_id=request_id):
                await self._measured(scope, receive, send, request_id)
        finally:
            _request_id.reset(token)

    async def _measured(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        started_seconds = time.perf_counter()
        status: int | None = None

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                answered = MutableHeaders(scope=message)
                answered[REQUEST_ID_HEADER] = request_id
                for name, value in scope.get(RATE_LIMIT_SCOPE, _NOTHING).items():
                    answered[name] = value
            await send(message)

        self._in_flight += 1
        REQUESTS_IN_FLIGHT.set(self._in_flight)
        try:
            if self._in_flight > REQUESTS_IN_FLIGHT_MAX and not scope["path"].startswith(_ALWAYS_ANSWERED):
                await problem_response(_overloaded(), request_id)(scope, receive, send_with_id)
            else:
                await self._app(scope, receive, send_with_id)
        except Exception:
            log.exception("request failed", method=scope["method"], route=route_label(scope))
            if status is not None:  # the head is out: all that is left is to cut the connection
                raise
            await problem_response(_fault(), request_id)(scope, receive, send_with_id)
        finally:
            self._in_flight -= 1
            REQUESTS_IN_FLIGHT.set(self._in_flight)
            self._count(scope, status, time.perf_counter() - started_seconds)

    @staticmethod
    def _count(scope: Scope, status: int | None, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        count, latency = _series(method, route_label(scope), f"{status // 100}xx" if status is not None else "none")
        count.inc()
        latency.observe(seconds)


@cache  # as many as there are methods, routes and classes of status; looking a series up costs more than counting
def _series(method: str, route: str, status_class: str) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, status_class), REQUEST_SECONDS.labels(method, route)


def _overloaded() -> Problem:
    return Problem(
        503,
        "overloaded",
        f"More than {REQUESTS_IN_FLIGHT_MAX} requests are being worked on: try again in a second.",
        headers={"Retry-After": "1"},
    )


def _fault() -> Problem:
    return Problem(
        500,
        "internal-error",
        "The service failed on this request. Nothing is known to be wrong with it: try again, and name the request id "
        "when you ask for help.",
        title="Internal error",
    )
