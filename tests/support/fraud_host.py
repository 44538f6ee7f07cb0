"""Fraud's route and a token, on a real HTTP server, with verdicts that a test chooses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from fastapi import FastAPI, Request, Response

from tests.support.registries import bearing
from tests.support.serving import served


@dataclass
class FraudHost:
    """``verdict`` is for asks of which nothing was said before; ``status`` other than 200 answers with a fault.

    ``itself``, where it is set, is fraud: it answers instead.
    """

    verdict: str = "allow"
    status: int = 200
    asks: list[dict[str, Any]] = field(default_factory=list)
    decided: dict[str, tuple[dict[str, Any], str]] = field(default_factory=dict)
    url: str = ""
    itself: httpx2.AsyncClient | None = None

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Serve until the block ends."""
        app = FastAPI()

        @app.post("/oauth/token")
        async def token() -> dict[str, Any]:
            return {"access_token": "a token", "expires_in": 900}

        @app.post("/v1/decisions")
        async def decide(request: Request) -> Any:
            ask = await request.json()
            self.asks.append(ask)
            if self.status != 200:
                return Response(status_code=self.status)
            if self.itself is not None:
                headers = bearing("decisions:write", client_id="redemption")
                decided = await self.itself.post("/v1/decisions", json=ask, headers=headers)
                return Response(decided.content, decided.status_code, media_type="application/json")
            first, verdict = self.decided.setdefault(ask["decision_id"], (ask, self.verdict))
            return {"verdict": verdict} if first == ask else Response(status_code=409)

        async with served(app) as url:
            self.url = url
            yield
