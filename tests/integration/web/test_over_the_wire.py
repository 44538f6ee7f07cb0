"""What only shows on real sockets: keys fetched over HTTP, a database that goes away under a request."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy import text

from shared.database import Database
from shared.web import Authenticator, Check, HttpKeySource, KeysUnavailableError, Principal, create_app, requires
from tests.support.serving import served
from tests.support.tokens import ISSUER, Issuer
from tests.support.until import until


def publishing(document: Any) -> FastAPI:
    app = FastAPI()

    @app.get("/jwks")
    async def jwks() -> Any:
        return document

    return app


async def test_keys_come_over_http_once_their_publisher_is_up() -> None:
    issuer = Issuer()
    router = APIRouter()

    @router.get("/who")
    async def who(principal: Annotated[Principal, requires("x:read")]) -> str:
        return principal.client_id

    async with served(publishing({"keys": issuer.jwks})) as publisher:
        authenticator = Authenticator(HttpKeySource(f"{publisher}/jwks"), issuer=ISSUER)
        stop = asyncio.Event()
        running = asyncio.create_task(authenticator.run(stop))
        app = create_app(title="test", authenticator=authenticator, routers=[router])
        async with served(app) as url, httpx2.AsyncClient(trust_env=False) as client:
            await until(lambda: authenticator.is_ready)
            answer = await client.get(f"{url}/who", headers={"Authorization": f"Bearer {issuer.token('x:read')}"})
        stop.set()
        await running

    assert (answer.status_code, answer.json()) == (200, "client-1")


async def test_without_keys_requests_are_503_and_a_wrong_document_gives_none() -> None:
    for document in ({"keys": "none"}, ["keys"], {"error": "x"}):
        async with served(publishing(document)) as publisher:
            with pytest.raises(KeysUnavailableError):
                await HttpKeySource(f"{publisher}/jwks").fetch()
    with pytest.raises(KeysUnavailableError):
        await HttpKeySource("http://127.0.0.1:1/jwks").fetch()

    router = APIRouter()

    @router.get("/who")
    async def who(principal: Annotated[Principal, requires("x:read")]) -> str:
        return principal.client_id

    authenticator = Authenticator(HttpKeySource("http://127.0.0.1:1/jwks"), issuer=ISSUER)
    await authenticator.refresh()
    app = create_app(title="test", authenticator=authenticator, routers=[router])
    async with served(app) as url, httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{url}/who", headers={"Authorization": f"Bearer {Issuer().token('x:read')}"})

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_a_chunked_body_over_the_limit_is_refused_on_the_wire() -> None:
    router = APIRouter()

    @router.post("/things")
    async def things(body: dict[str, int]) -> int:
        return len(body)

    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 50_000

    app = create_app(title="test", authenticator=None, routers=[router])
    async with served(app) as url, httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{url}/things", content=in_pieces(), headers={"Content-Type": "application/json"})
        again = await client.post(f"{url}/things", json={"a": 1})

    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    assert again.json() == 1


@pytest.mark.parametrize("is_raw", [True, False], ids=["asyncpg", "SQLAlchemy"])
async def test_a_database_that_goes_away_under_a_request_is_503(
    database_of: Callable[[str], Database], is_raw: bool
) -> None:
    database = database_of("members")
    router = APIRouter()

    async def run(statement: str) -> None:
        async with database.transaction() as transaction:
            if is_raw:
                await transaction.raw.execute(statement)
            else:
                await transaction.connection.execute(text(statement))

    @router.post("/killed")
    async def killed() -> None:
        await run("select pg_terminate_backend(pg_backend_pid())")

    @router.post("/slow")
    async def slow() -> None:
        await run("set local statement_timeout = '10ms'")
        async with database.transaction() as transaction:
            await transaction.raw.execute("set local statement_timeout = '10ms'")
            await transaction.raw.execute("select pg_sleep(5)")

    @router.post("/broken")
    async def broken() -> None:
        await run("select no_such_column")

    async def reach() -> None:
        await run("select 1")

    app = create_app(title="test", authenticator=None, routers=[router], checks=[Check("database", reach)])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        answers = [await client.post(path) for path in ("/killed", "/slow", "/broken")]
        ready = await client.get("/health/ready")

    assert [answer.status_code for answer in answers] == [503, 503, 500]
    assert all(answer.headers["content-type"] == "application/problem+json" for answer in answers)
    assert "no_such_column" not in answers[2].text
    assert ready.status_code == 200
