"""A load generator that costs little: requests are bytes made beforehand, connections are kept, answers barely read."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import httptools

from cli.errors import CommandError

ANSWER_SECONDS_MAX = 30.0


@dataclass(slots=True)
class Latencies:
    """How long each answer took, in seconds, and how many answers were not what was hoped for."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    lasted_seconds: float = 0.0

    def quantile_ms(self, quantile: float) -> float:
        """A quantile in milliseconds, the nearest value from above."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(quantile * len(ordered)))]

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.lasted_seconds

    def require(self, status: int) -> "Latencies":
        """The same, or an error where any answer had another status."""
        if set(self.statuses) != {status}:
            raise CommandError(f"answers were {self.statuses}, and {status} was asked for: see the service's log")
        return self


def together(parts: Sequence[Latencies]) -> Latencies:
    """Loads that ran side by side, as one."""
    statuses: Counter[int] = Counter()
    for part in parts:
        statuses.update(part.statuses)
    seconds = [second for part in parts for second in part.seconds]
    return Latencies(seconds, dict(statuses), max(part.lasted_seconds for part in parts))


class Connection(asyncio.Protocol):
    """One kept connection: a request at a time, the next one when the answer is complete. ``body`` is the answer's
    where it ``keeps_bodies``, until the next one."""

    def __init__(self, answered: Callable[["Connection", int], None], *, keeps_bodies: bool = False) -> None:
        self._answered = answered
        self._keeps_bodies = keeps_bodies
        self.body = b""
        self._parser = httptools.HttpResponseParser(self)
        self.transport: asyncio.Transport | None = None
        self.due_seconds = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, part: bytes) -> None:
        if self._keeps_bodies:
            self.body += part

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        self._parser = httptools.HttpResponseParser(self)
        self._answered(self, status)

    def send(self, request: bytes, due_seconds: float) -> None:
        """Send a request that was due at this moment: waiting for a free connection counts too."""
        if self.transport is None:
            raise CommandError("a connection of the load generator was not made")
        self.due_seconds = due_seconds
        self.body = b""
        self.transport.write(request)

    def close(self) -> None:
        """No more requests."""
        if self.transport is not None:
            self.transport.close()


class Load:
    """Sends requests over a few connections to one address of this machine."""

    def __init__(self, port: int, connections: int) -> None:
        self._port = port
        self._connections = connections

    async def at_rate(self, requests: Sequence[bytes], per_second: int) -> Latencies:
        """Send at a steady rate whatever the answers do; a request's time counts from when it was due."""
        started_seconds = time.perf_counter()
        return await self._run(requests, lambda number: started_seconds + number / per_second)

    async def at_full_speed(self, requests: Sequence[bytes]) -> Latencies:
        """Each connection sends the next request as soon as it has its answer."""
        return await self._run(requests, lambda _: 0.0)

    async def _run(self, requests: Sequence[bytes], due_at: Callable[[int], float]) -> Latencies:
        loop = asyncio.get_running_loop()
        result, free, all_answered = Latencies(), deque[Connection](), asyncio.Event()
        someone_free = asyncio.Event()

        def answered(connection: Connection, status: int) -> None:
            result.seconds.append(time.perf_counter() - connection.due_seconds)
            result.statuses[status] = result.statuses.get(status, 0) + 1
            free.append(connection)
            someone_free.set()
            if len(result.seconds) == len(requests):
                all_answered.set()

        for _ in range(self._connections):
            _, connection = await loop.create_connection(lambda: Connection(answered), "127.0.0.1", self._port)
            free.append(connection)
        began_seconds = time.perf_counter()
        for number, request in enumerate(requests):
            due_seconds = due_at(number)
            await asyncio.sleep(max(0.0, due_seconds - time.perf_counter()))
            while not free:
                someone_free.clear()
                async with asyncio.timeout(ANSWER_SECONDS_MAX):
                    await someone_free.wait()
            free.popleft().send(request, due_seconds or time.perf_counter())
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            await all_answered.wait()
        result.lasted_seconds = time.perf_counter() - began_seconds
        for connection in free:
            connection.close()
        return result


def json_post(path: str, token: str, body: bytes, idempotency_key: str | None = None) -> bytes:
    """A request as it goes over the wire."""
    key = f"Idempotency-Key: {idempotency_key}\r\n" if idempotency_key is not None else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\n{key}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def get(path: str, token: str) -> bytes:
    """A question as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
