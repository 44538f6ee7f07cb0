"""Contracts as tests write them."""

from datetime import datetime, timedelta
from typing import Any

import httpx2

from shared.database import Database
from tests.support.registries import bearing

AUTHOR, APPROVER = "alice", "bob"

RATE = {
    "point_type": "points",
    "issue_price": "0.0100",
    "redemption_price": "0.0085",
    "vat_percent": "21",
    "settle_on": "issue",
}
PREPAID = {"kind": "prepaid", "amount_minor": 2_000_000, "alert_percents": [25, 10], "when_exhausted": "refuse"}


async def business_time(database: Database) -> datetime:
    """What the service takes the time to be."""
    async with database.transaction() as transaction:
        return transaction.now


def contract_body(
    partner_id: str, begins_at: datetime, ends_at: datetime | None = None, **terms: Any
) -> dict[str, Any]:
    """A prepaid contract at the worked month's prices, with other terms where given."""
    body = {
        "partner_id": partner_id,
        "effective_from": begins_at.isoformat(),
        "currency": "USD",
        "rates": [RATE],
        "funding": PREPAID,
    }
    return body | ({} if ends_at is None else {"effective_until": ends_at.isoformat()}) | terms


async def partner_is_there(client: httpx2.AsyncClient, partner_id: str) -> None:
    """Register a partner."""
    body = {"partner_id": partner_id, "name": partner_id}
    assert (await client.post("/v1/partners", json=body, headers=bearing())).status_code == 201


async def drafted(client: httpx2.AsyncClient, body: dict[str, Any], author: str = AUTHOR) -> str:
    """Write a contract; its path comes back."""
    answer = await client.post("/v1/contracts", json=body, headers=bearing(client_id=author))
    assert answer.status_code == 201, answer.text
    return f"/v1/contracts/{answer.json()['contract_id']}"


async def submitted(client: httpx2.AsyncClient, body: dict[str, Any], author: str = AUTHOR) -> str:
    """Write a contract and put it before a second person; its path comes back."""
    path = await drafted(client, body, author)
    assert (await act(client, path, "submit", author)).status_code == 200
    return path


async def act(client: httpx2.AsyncClient, path: str, action: str, who: str, body: object = None) -> httpx2.Response:
    """Submit, approve or end a contract."""
    return await client.post(f"{path}/{action}", json=body, headers=bearing(client_id=who))


async def approved(client: httpx2.AsyncClient, body: dict[str, Any]) -> str:
    """A contract that two people agreed on; its path comes back."""
    path = await submitted(client, body)
    answer = await act(client, path, "approve", APPROVER)
    assert answer.status_code == 200, answer.text
    return path


def slug(answer: httpx2.Response) -> tuple[int, str]:
    """What a refusal says."""
    return answer.status_code, str(answer.json()["type"]).rpartition("/")[2]


SOON = timedelta(hours=1)
