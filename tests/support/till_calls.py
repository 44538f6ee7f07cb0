"""What two partners' tills ask of redemption over HTTP, short to write."""

from typing import Any

import httpx2

from tests.support.receipts import member
from tests.support.registries import bearing

ANNA = member(1)
RECEIPT = {
    "scheme": "sequence",
    "store_id": "s1",
    "till_id": "1",
    "business_date": "2026-11-01",
    "shift": 1,
    "number": 1,
}


def grocer() -> dict[str, str]:
    return bearing("redemptions:write", "redemptions:read", "balances:read", client_id="g", partner_id="grocer")


def fuel() -> dict[str, str]:
    return bearing("redemptions:write", "redemptions:read", "balances:read", client_id="f", partner_id="fuel")


async def hold(client: httpx2.AsyncClient, points: int, **others: Any) -> httpx2.Response:
    headers = others.pop("headers", None) or grocer()
    body = {"member_id": str(ANNA), "points": points} | others
    return await client.post("/v1/redemptions", json=body, headers=headers)


def slug(response: httpx2.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    return str(response.json()["type"].rpartition("/")[2])
