"""members' routes for PINs, on a real HTTP server, with PINs that a test gives to members."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response

from tests.support.serving import served

TRIES_MAX = 5


@dataclass
class PinHost:
    """``pins`` by member; who is ``unreachable`` has no e-mail address. ``status`` other than 200 answers with a fault,
    and ``is_silent`` not at all.
    """

    pins: dict[str, str] = field(default_factory=dict)
    unreachable: set[str] = field(default_factory=set)
    wrong: dict[str, int] = field(default_factory=dict)
    status: int = 200
    is_silent: bool = False
    tried: int = 0
    url: str = ""

    def as_first(self, pins: dict[str, str]) -> None:
        """Answer of these, who have an address, and forget what was tried."""
        self.unreachable = set()
        self.pins, self.wrong, self.status, self.is_silent, self.tried = pins, {}, 200, False, 0

    def _try(self, member_id: str, pin: str) -> dict[str, Any]:
        self.tried += 1
        if member_id not in self.pins:
            return {"outcome": "none", "tries_left": None, "locked_until": None}
        if self.wrong.get(member_id, 0) >= TRIES_MAX:
            return {"outcome": "locked", "tries_left": 0, "locked_until": "2027-01-01T00:00:00Z"}
        if self.pins[member_id] == pin:
            return {"outcome": "verified", "tries_left": None, "locked_until": None}
        self.wrong[member_id] = self.wrong.get(member_id, 0) + 1
        return {"outcome": "wrong", "tries_left": TRIES_MAX - self.wrong[member_id], "locked_until": None}

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Serve until the block ends."""
        app, stopped = FastAPI(), asyncio.Event()

        @app.get("/v1/members/{member_id}/pin")
        async def state(member_id: str) -> Any:
            if self.status != 200:
                return Response(status_code=self.status)
            state = "counts" if member_id in self.pins else "none"
            return {"state": state, "has_address": member_id not in self.unreachable}

        @app.post("/v1/members/{member_id}/pin:verify")
        async def verify(member_id: str, request: Request) -> Any:
            if self.is_silent:
                await stopped.wait()
            if self.status != 200:
                return Response(status_code=self.status)
            return self._try(member_id, (await request.json())["pin"])

        async with served(app) as url:
            self.url = url
            yield
            stopped.set()
