"""The routes of holds, called without a socket: requests that are sent at once are ready at once, and share."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2

from services.redemption.api.holds import holds_router, sharing_holds
from services.redemption.api.refusals import DOMAIN_PROBLEMS
from services.redemption.api.spend_gate import SpendGate
from services.redemption.programme import Programme
from shared.database import Database
from shared.web import Authenticator, StaticKeySource, create_app
from tests.support.redemption import PROGRAMME
from tests.support.registries import ISSUER, SIGNER, bearing


def till(key: str | None = None) -> dict[str, str]:
    """The headers of a till of the grocer's."""
    headers = bearing("redemptions:write", client_id="g", partner_id="grocer")
    return headers | {"Idempotency-Key": key or str(uuid4())}


@dataclass(frozen=True)
class Tills:
    """Tills that ask one process."""

    client: httpx2.AsyncClient

    async def hold(self, body: dict[str, Any], key: str | None = None) -> httpx2.Response:
        """Ask for one hold."""
        return await self.client.post("/v1/redemptions", json=body, headers=till(key))

    async def at_once(
        self, bodies: Sequence[dict[str, Any]], keys: Sequence[str] | None = None
    ) -> list[httpx2.Response]:
        """Ask for all of these at the same time."""
        keys = keys or [str(uuid4()) for _ in bodies]
        return await asyncio.gather(*(self.hold(body, key) for body, key in zip(bodies, keys, strict=True)))


@asynccontextmanager
async def tills_of(database: Database, programme: Programme = PROGRAMME) -> AsyncIterator[Tills]:
    """A process of the API, as far as it reserves points."""
    sharing = sharing_holds(database, programme)
    authenticator = Authenticator(StaticKeySource(SIGNER.public_jwks()), issuer=ISSUER)
    await authenticator.refresh()
    app = create_app(
        title="holds",
        authenticator=authenticator,
        routers=[holds_router(database, programme, SpendGate(database), sharing)],
        domain_problems=DOMAIN_PROBLEMS,
    )
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield Tills(client)
        await sharing.close()
