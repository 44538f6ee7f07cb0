"""Rewards over HTTP: what a programme offers, and what its app asks for."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2

from shared.ids import new_id
from tests.support.registries import bearing

VOUCHER_KEYS = "1:" + "7d" * 32
COFFEE = "coffee"


def programme(*scopes: str) -> dict[str, str]:
    """Headers of the programme's own client."""
    return bearing(*(scopes or ("rewards:write", "rewards:read", "rewards:issue")), client_id="app")


def terms(**others: Any) -> dict[str, Any]:
    """A large coffee of the grocer's for 100 points."""
    return {"partner_id": "grocer", "titles": {"en": "A large coffee"}, "points": 100} | others


def slug(response: httpx2.Response) -> tuple[int, str]:
    """The status, and what the problem is called."""
    return response.status_code, str(response.json()["type"].rpartition("/")[2])


@dataclass(frozen=True)
class Catalogue:
    """One client's view of rewards and vouchers."""

    client: httpx2.AsyncClient

    async def offer(self, reward_id: str = COFFEE, pieces: int | None = None, **others: Any) -> None:
        """Make a reward; limited to so many pieces where they are said."""
        supply = "unlimited" if pieces is None else "pieces"
        body = {"reward_id": reward_id, "terms": terms(supply=supply) | others}
        made = await self.client.post("/v1/rewards", json=body, headers=programme())
        assert made.status_code == 201, made.text
        if pieces:
            added = await self.client.post(
                f"/v1/rewards/{reward_id}/pieces:add", json={"count": pieces}, headers=programme()
            )
            assert added.status_code == 200, added.text

    async def issue(self, member_id: UUID, reward_id: str = COFFEE, **others: Any) -> httpx2.Response:
        """Ask for a reward."""
        headers = others.pop("headers", None) or programme()
        body = {"voucher_id": str(new_id()), "member_id": str(member_id)} | others
        return await self.client.post(f"/v1/rewards/{reward_id}/issue", json=body, headers=headers)

    async def issued(self, member_id: UUID, reward_id: str = COFFEE, **others: Any) -> dict[str, Any]:
        """Ask for a reward that is to be had."""
        response = await self.issue(member_id, reward_id, **others)
        assert response.status_code == 201, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def cancel(self, voucher_id: str, **headers: str) -> httpx2.Response:
        """Let a voucher count no more."""
        return await self.client.post(
            f"/v1/vouchers/{voucher_id}/cancel", json={"reason_code": "asked"}, headers=headers or programme()
        )

    async def left(self, reward_id: str = COFFEE) -> tuple[int, int]:
        """How many pieces were added, and how many are left."""
        answer = (await self.client.get(f"/v1/rewards/{reward_id}", headers=programme())).json()
        return answer["pieces_added"], answer["pieces_left"]
