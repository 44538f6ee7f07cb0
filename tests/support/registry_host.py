"""The routes of other services that notifications calls, on a real HTTP server, with answers that a test chooses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from fastapi import FastAPI, Request, Response

from shared.runtime.http_server import listen, serve


@dataclass
class RegistryHost:
    """``contacts`` are the members that are known; ``status`` other than 200 answers every question with it."""

    contacts: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    status: int = 200
    tokens_given: int = 0
    refused_tokens: set[str] = field(default_factory=set)
    questions: list[UUID] = field(default_factory=list)
    grants: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    def know(self, member_id: UUID, address: str | None, *, status: str = "active", language: str = "en") -> None:
        """A member of this address."""
        self.contacts[member_id] = {
            "member_id": str(member_id),
            "status": status,
            "given_name": "Ada",
            "email": address,
            "language": language,
        }

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Serve until the block ends."""
        stop = asyncio.Event()
        listener = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        serving = asyncio.create_task(serve(self._app(), listener, stop))
        try:
            yield
        finally:
            stop.set()
            await serving
            listener.close()

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/oauth/token")
        async def token(request: Request) -> Response:
            body = (await request.body()).decode()
            self.grants.append((request.headers.get("authorization", ""), body))
            self.tokens_given += 1
            return _json({"access_token": f"token-{self.tokens_given}", "token_type": "Bearer", "expires_in": 900})

        @app.get("/v1/members/{member_id}/contact")
        async def contact(member_id: UUID, request: Request) -> Response:
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            if given in self.refused_tokens or not given.startswith("token-"):
                return Response(status_code=401)
            self.questions.append(member_id)
            if self.status != 200:
                return Response(status_code=self.status)
            found = self.contacts.get(member_id)
            return Response(status_code=404) if found is None else _json(found)

        return app


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
