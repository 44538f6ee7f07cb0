"""The services over HTTP, as the demo calls them: every refusal ends the demo with what the service said."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from cli.errors import CommandError

CALLS_AT_ONCE = 8
ANSWER_SECONDS_MAX = 30.0
UNAVAILABLE_ATTEMPTS_MAX = 20
HEARD_OF_ATTEMPTS_MAX = 120
HEARD_OF_SECONDS = 0.25

T = TypeVar("T")
R = TypeVar("R")


class Api:
    """One client of all services, with the token it was given."""

    def __init__(self, url_of: Callable[[str], str], token: str) -> None:
        self._url_of = url_of
        self._client = httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {token}"},
            timeout=ANSWER_SECONDS_MAX,
            limits=httpx2.Limits(max_connections=64),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def get(self, service: str, path: str) -> Any:
        """The answer to a GET."""
        return await self._call("GET", service, path)

    async def post(self, service: str, path: str, body: Any, *, prefer: str | None = None) -> Any:
        """The answer to a POST, with an idempotency key of its own."""
        headers = {"Idempotency-Key": str(uuid.uuid4())} | ({"Prefer": prefer} if prefer is not None else {})
        return await self._call("POST", service, path, body, headers)

    async def post_when_heard_of(self, service: str, path: str, body: Any) -> Any:
        """The answer to a POST that names what another service was told just now: 422 until this one heard of it."""
        response = await self._send("POST", service, path, body)
        for _ in range(HEARD_OF_ATTEMPTS_MAX):
            if response.status_code != httpx2.codes.UNPROCESSABLE_CONTENT:
                break
            await asyncio.sleep(HEARD_OF_SECONDS)
            response = await self._send("POST", service, path, body)
        return _told(response, service)

    async def text(self, url: str) -> str:
        """A page of plain text, such as metrics."""
        return (await self._client.get(url)).text

    async def _call(
        self, method: str, service: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Any:
        return _told(await self._send(method, service, path, body, headers), service)

    async def _send(
        self, method: str, service: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        url = f"{self._url_of(service)}{path}"
        headers = headers or {"Idempotency-Key": str(uuid.uuid4())}
        response = await self._client.request(method, url, json=body, headers=headers)
        for _ in range(UNAVAILABLE_ATTEMPTS_MAX):
            if response.status_code != httpx2.codes.SERVICE_UNAVAILABLE:
                break
            await asyncio.sleep(float(response.headers.get("Retry-After", "1")))
            response = await self._client.request(method, url, json=body, headers=headers)
        return response


def _told(response: httpx2.Response, service: str) -> Any:
    if response.is_error:
        asked = f"{response.request.method} {response.request.url.path}"
        raise CommandError(f"{service} answered {response.status_code} to {asked}: {response.text[:500]}")
    return response.json()


async def each(items: Iterable[T], work: Callable[[T], Awaitable[R]], at_once: int = CALLS_AT_ONCE) -> list[R]:
    """``work`` for each item, a few at once; the results in the items' order."""
    results: dict[int, R] = {}
    waiting = enumerate(items)

    async def worker() -> None:
        for index, item in waiting:
            results[index] = await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())
    return [results[index] for index in sorted(results)]


def pages(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """The items in slices of at most ``size``."""
    return [items[start : start + size] for start in range(0, len(items), size)]
