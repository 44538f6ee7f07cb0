"""An application with one route that has an effect, and what a test makes it do."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

import asyncpg
import httpx2
from fastapi import APIRouter, Query, Response

from shared.database import Database, Transaction
from shared.passing import PassingError
from shared.web import (
    Answer,
    Authenticator,
    Body,
    IdempotencyKey,
    PositivePoints,
    Principal,
    ProblemAnswer,
    StaticKeySource,
    create_app,
    idempotent,
    problems,
    requires,
)
from tests.support.databases import FreshDatabase
from tests.support.tokens import ISSUER, Issuer

TABLE = "create table effects (id bigint generated always as identity, points bigint not null)"
SERVICE = "members"


class PointsGone(Exception):  # noqa: N818 -- an error of the test's domain
    """An error of the domain."""


class ComesLater(PassingError):  # noqa: N818 -- an error of the test's domain
    """Another one, which passes."""


class HoldBody(Body):
    """What is asked for."""

    points: PositivePoints
    reason: str = ""


class HoldAnswer(Body):
    """What is answered."""

    points: int
    effects: int


@dataclass
class Scene:
    """The application and what the test makes it do."""

    client: httpx2.AsyncClient
    database: Database
    issuer: Issuer
    after_write: Callable[[Transaction], Awaitable[None]] | None = None
    answers: list[object] = field(default_factory=list)
    is_hot: bool = False

    async def post(
        self, key: str | None, points: int = 5, *, sub: str = "client-1", path: str = "h-1", **more: Any
    ) -> Any:
        """Ask for a hold under this key."""
        headers = {"Authorization": f"Bearer {self.issuer.token('holds:write', sub=sub)}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self.client.post(f"/v1/holds/{path}", json={"points": points} | more, headers=headers)

    async def effects(self) -> list[int]:
        """What took effect, in its order."""
        return await self._column("select points from effects order by id")

    async def records(self) -> list[str]:
        """The keys whose answers are kept."""
        return await self._column("select idempotency_key from idempotency order by 1")

    async def _column(self, statement: str) -> list[Any]:
        async with self.database.transaction() as transaction:
            return [row[0] for row in await transaction.raw.fetch(statement)]


@asynccontextmanager
async def idempotent_scene(fresh_database: FreshDatabase, database: Database) -> AsyncIterator[Scene]:
    """An application with one route that has an effect, on a database of its own."""
    await as_admin(fresh_database, f"create table {SERVICE}.{TABLE[13:]}", f"grant all on {SERVICE}.effects to public")
    issuer = Issuer()
    authenticator = Authenticator(StaticKeySource(issuer.jwks), issuer=ISSUER)
    await authenticator.refresh()
    router = APIRouter(prefix="/v1")
    scene: Scene

    async def hold(transaction: Transaction, points: int) -> Answer | ProblemAnswer:
        await transaction.raw.execute("insert into effects (points) values ($1)", points)
        if scene.after_write is not None:
            await scene.after_write(transaction)
        if scene.answers:
            return scene.answers.pop(0)  # type: ignore[return-value]  # what the test put there
        return Answer(201, HoldAnswer(points=points, effects=1))

    @router.post("/holds/{hold_id}", status_code=201, responses=problems(400, 401, 403, 409, 422))
    async def open_hold(
        hold_id: str,
        body: HoldBody,
        principal: Annotated[Principal, requires("holds:write")],
        key: IdempotencyKey,
        note: Annotated[str, Query()] = "",
    ) -> Response:
        del hold_id, note
        return await idempotent(database, principal, key, body, lambda tx: hold(tx, body.points), is_hot=scene.is_hot)

    app = create_app(
        title="test",
        authenticator=authenticator,
        routers=[router],
        domain_problems={
            PointsGone: (409, "insufficient-points", "Not enough points"),
            ComesLater: (409, "comes-later", "Comes later"),
        },
    )
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        scene = Scene(client, database, issuer)
        yield scene


async def as_admin(database: FreshDatabase, *statements: str) -> None:
    """Do these with all rights."""
    connection = await asyncpg.connect(database.admin_url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
