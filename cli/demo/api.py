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

    async def text(self, url: str) -> str:
        """A page of plain text, such as metrics."""
        return (await self._client.get(url)).text

    async def _call(
        self, method: str, service: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Any:
        url = f"{self._url_of(service)}{path}"
        response = await self._client.request(method, url, json=body, headers=headers)
        for _ in range(UNAVAILABLE_ATTEMPTS_MAX):
            if response.status_code != httpx2.codes.SERVICE_UNAVAILABLE:
                break
            await asyncio.sleep(float(response.headers.get("Retry-After", "1")))
            response = await self._client.request(method, url, json=body, headers=headers)
        if response.is_error:
            raise CommandError(f"{service} answered {response.status_code} to {method} {path}: {response.text[:500]}")
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
