"""Tills that ask redemption over HTTP, and ask again under the same key until they are answered."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2
import orjson

from tests.support.until import until

ANSWERED_SECONDS_MAX = 90.0
ASK_AGAIN_SECONDS = 0.2
ASK_SECONDS_MAX = 5.0
REPLAYED = "Idempotency-Replayed"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, its key, and what it was answered in the end."""

    path: str
    body: dict[str, Any] | None
    key: str
    status: int
    said: bytes

    @property
    def answer(self) -> dict[str, Any]:
        """What was said."""
        told: dict[str, Any] = orjson.loads(self.said)
        return told


@dataclass
class Tills:
    """``asked`` is every request that was not asked once more yet; ``told_late`` counts those that had been done by a
    process which told nobody."""

    http: httpx2.AsyncClient
    asked: list[Asked] = field(default_factory=list)
    told_late: int = 0

    async def ask(self, path: str, body: dict[str, Any] | None = None) -> Asked:
        """Ask, and whatever becomes of the line ask the same again, until redemption says what it made of it."""
        key = uuid4().hex
        answer = await self._answered(path, body, key)
        self.told_late += REPLAYED in answer.headers
        self.asked.append(Asked(path, body, key, answer.status_code, answer.content))
        return self.asked[-1]

    async def check_answers(self) -> None:
        """Everything that was asked is answered as it was the first time, and says so."""
        asked, self.asked = self.asked, []
        for one in asked:
            again = await self._answered(one.path, one.body, one.key)
            said = (again.status_code, again.content, again.headers.get(REPLAYED))
            assert said == (one.status, one.said, "true"), one

    async def _answered(self, path: str, body: dict[str, Any] | None, key: str) -> httpx2.Response:
        async def once() -> httpx2.Response | None:
            answer = await self._post(path, body, key)
            return None if answer is None or _may_pass(answer) else answer

        return await until(once, seconds_max=ANSWERED_SECONDS_MAX, look_seconds=ASK_AGAIN_SECONDS)

    async def _post(self, path: str, body: dict[str, Any] | None, key: str) -> httpx2.Response | None:
        try:
            return await self.http.post(f"/v1/{path}", json=body, headers={"Idempotency-Key": key})
        except httpx2.TransportError:
            return None


def _may_pass(answer: httpx2.Response) -> bool:
    """A fault, or a refusal that says when to ask again."""
    return answer.status_code >= 500 or "Retry-After" in answer.headers
