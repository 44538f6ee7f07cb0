"""What redemption asks for checkouts and returns, on a real HTTP server, with answers that a test chooses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response

from shared.runtime.http_server import listen, serve

EARNS: dict[str, Any] = {
    "status": "awarded",
    "points": 12,
    "point_type": "points",
    "parts": [{"point_type": "points", "points": 12, "expires_on": "2027-12-31"}],
    "rule_set_version": 1,
}
NAME = {"given_name": "Ada", "family_initial": "L"}
NOTHING_TAKEN: dict[str, Any] = {"status": "awaiting", "taken": [], "taken_of_lines": []}


@dataclass
class NeighbourHost:
    """``earn``, ``name`` and ``returned`` are answered with a status and a body; a name in ``silent`` is never
    answered."""

    earn: tuple[int, dict[str, Any]] = (200, EARNS)
    name: tuple[int, dict[str, Any]] = (200, NAME)
    returned: tuple[int, dict[str, Any]] = (200, NOTHING_TAKEN)
    silent: frozenset[str] = frozenset()
    baskets: list[dict[str, Any]] = field(default_factory=list)
    shown_to: list[str] = field(default_factory=list)
    returns: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["NeighbourHost"]:
        """Serve until the block ends."""
        listener = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        serving = asyncio.create_task(serve(self._app(), listener, self._stop))
        try:
            yield self
        finally:
            self._stop.set()
            await serving
            listener.close()

    def as_first(self) -> None:
        """Answer as at the beginning, and forget what was asked."""
        self.earn, self.name, self.silent = (200, EARNS), (200, NAME), frozenset()
        self.returned = (200, NOTHING_TAKEN)
        self.returns.clear()
        self.baskets.clear()
        self.shown_to.clear()

    async def _answer(self, what: str, told: tuple[int, dict[str, Any]]) -> Response:
        if what in self.silent:
            await self._stop.wait()
        status, body = told
        return Response(orjson.dumps(body), status, media_type="application/json")

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/oauth/token")
        async def token() -> dict[str, Any]:
            return {"access_token": "good", "token_type": "Bearer", "expires_in": 900}

        @app.post("/v1/baskets:preview")
        async def preview(request: Request) -> Response:
            assert request.headers["authorization"] == "Bearer good"
            self.baskets.append(orjson.loads(await request.body()))
            return await self._answer("earn", self.earn)

        @app.post("/v1/returns:preview")
        async def preview_return(request: Request) -> Response:
            assert request.headers["authorization"] == "Bearer good"
            self.returns.append(orjson.loads(await request.body()))
            return await self._answer("returned", self.returned)

        @app.get("/v1/members/{member_id}/name")
        async def name(request: Request, shown_to: str) -> Response:
            assert request.headers["authorization"] == "Bearer good"
            self.shown_to.append(shown_to)
            return await self._answer("name", self.name)

        return app
