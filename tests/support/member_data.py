"""The routes that tell all that a service keeps of a member, called in process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx2
from fastapi import APIRouter

from shared.web import Authenticator, StaticKeySource, create_app
from shared.web.refusals import DomainProblems
from tests.support.registries import ISSUER, SIGNER, bearing


@asynccontextmanager
async def served(router: APIRouter, problems: DomainProblems | None = None) -> AsyncIterator[httpx2.AsyncClient]:
    """Calls to one router."""
    authenticator = Authenticator(StaticKeySource(SIGNER.public_jwks()), issuer=ISSUER)
    await authenticator.refresh()
    app = create_app(title="test", authenticator=authenticator, routers=(router,), domain_problems=problems)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def read_all(client: httpx2.AsyncClient, member_id: UUID, limit: int = 50) -> list[dict[str, Any]]:
    """Every item, page by page; no page is longer than asked for, and none but the last is shorter."""
    items: list[dict[str, Any]] = []
    query = {"limit": str(limit)}
    while True:
        answer = await client.get(f"/v1/members/{member_id}/data", params=query, headers=bearing("members:data"))
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        if page["next_cursor"] is None:
            assert len(page["items"]) <= limit
            return items
        assert len(page["items"]) == limit
        query["cursor"] = page["next_cursor"]


async def refusals(client: httpx2.AsyncClient, member_id: UUID) -> list[int]:
    """What is answered without a token, with another scope, to a partner's client, and to a made-up cursor."""
    url = f"/v1/members/{member_id}/data"
    bound = bearing("members:data", client_id="acme", partner_id="acme")
    return [
        (await client.get(url)).status_code,
        (await client.get(url, headers=bearing("members:read"))).status_code,
        (await client.get(url, headers=bound)).status_code,
        (await client.get(url, params={"cursor": "WzAsIi8iXQ"}, headers=bearing("members:data"))).status_code,
    ]


REFUSED = [401, 403, 404, 400]
