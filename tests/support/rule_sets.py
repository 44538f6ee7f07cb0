"""Rule sets as tests write them."""

from datetime import datetime
from typing import Any

import httpx2

from tests.support.registries import bearing

AUTHOR, APPROVER = "alice", "bob"


def rules_document(points: int = 1, **fields: Any) -> dict[str, Any]:
    """A rule set with one rule: so many points a dollar, everywhere."""
    effect = {"kind": "points_per_amount", "points": points, "step_minor": 100}
    return {"rules": [{"id": "base", "name": f"{points} a dollar", "effect": effect}]} | fields


async def drafted(client: httpx2.AsyncClient, document: dict[str, Any], author: str = AUTHOR) -> str:
    """Write a rule set; its path comes back."""
    answer = await client.post("/v1/rule-sets", json=document, headers=bearing(client_id=author))
    assert answer.status_code == 201, answer.text
    return f"/v1/rule-sets/{answer.json()['rule_set_id']}"


async def act(client: httpx2.AsyncClient, path: str, action: str, who: str, body: object = None) -> httpx2.Response:
    """Submit, approve, refuse, publish or retire a rule set."""
    return await client.post(f"{path}/{action}", json=body, headers=bearing(client_id=who))


async def submitted(client: httpx2.AsyncClient, document: dict[str, Any], author: str = AUTHOR) -> str:
    """Write a rule set and put it before a second person; its path comes back."""
    path = await drafted(client, document, author)
    assert (await act(client, path, "submit", author)).status_code == 200
    return path


async def approved(client: httpx2.AsyncClient, document: dict[str, Any]) -> str:
    """A rule set that two people agreed on; its path comes back."""
    path = await submitted(client, document)
    answer = await act(client, path, "approve", APPROVER)
    assert answer.status_code == 200, answer.text
    return path


async def publish(
    client: httpx2.AsyncClient, path: str, effective_from: datetime, who: str = APPROVER
) -> httpx2.Response:
    """Ask for a rule set to take effect at a time."""
    return await act(client, path, "publish", who, {"effective_from": effective_from.isoformat()})


async def retire(client: httpx2.AsyncClient, path: str, who: str = APPROVER) -> httpx2.Response:
    """Withdraw or retire a rule set."""
    return await act(client, path, "retire", who, {"reason": "no longer wanted"})


async def published(client: httpx2.AsyncClient, document: dict[str, Any], effective_from: datetime) -> str:
    """A rule set that takes effect at a time; its path comes back."""
    path = await approved(client, document)
    answer = await publish(client, path, effective_from)
    assert answer.status_code == 200, answer.text
    return path


async def state_of(client: httpx2.AsyncClient, path: str) -> str:
    """Where the rule set stands."""
    return str((await client.get(path, headers=bearing())).json()["state"])


def slug(answer: httpx2.Response) -> tuple[int, str]:
    """What a refusal says."""
    return answer.status_code, str(answer.json()["type"]).rpartition("/")[2]
