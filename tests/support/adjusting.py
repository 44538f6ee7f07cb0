"""Calls of adjustments over HTTP, short to write."""

from functools import partial
from typing import Any
from uuid import UUID

import httpx2

from services.accrual.domain.adjustments import DEFAULT_REASONS, AdjustmentRules
from services.accrual.use_cases.decide_adjustment_files import settle_lines
from tests.support.accrual import PROGRAMME, Accrual
from tests.support.registries import bearing

RULES = AdjustmentRules.of(DEFAULT_REASONS, 10_000, 100_000, 200_000, 20_000)  # as settings say by default
SUPPORT, BOSS = "support-desk", "head-of-service"
ADJUSTMENTS, FILES = "/v1/adjustments", "/v1/adjustment-files"
HEADER = "member_id,points,reason_code,expires_on,note\n"
Client = httpx2.AsyncClient


def asked(member_id: UUID, points: int, **said: Any) -> dict[str, Any]:
    """The body of an adjustment."""
    return {"member_id": str(member_id), "points": points, "reason_code": "complaint"} | said


async def adjust(client: Client, body: dict[str, Any], by: str = SUPPORT, key: str | None = None) -> httpx2.Response:
    """Asks for one."""
    headers = bearing("adjustments:write", client_id=by)
    return await client.post(ADJUSTMENTS, json=body, headers=headers | ({"Idempotency-Key": key} if key else {}))


async def decide(client: Client, path: str, by: str = BOSS) -> httpx2.Response:
    """Approves or refuses, as the path says."""
    return await client.post(path, headers=bearing("adjustments:approve", client_id=by))


async def listed(client: Client, path: str = ADJUSTMENTS, **query: str) -> list[dict[str, Any]]:
    """The first page of a list."""
    answer = await client.get(path, params=query, headers=bearing("adjustments:read"))
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def slug(answer: httpx2.Response) -> tuple[int, str]:
    """A refusal's status and kind."""
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


async def sent(client: Client, name: str, content: str, by: str = SUPPORT, **said: Any) -> dict[str, Any]:
    """Declares a file and sends it."""
    headers = bearing("adjustments:write", client_id=by)
    declared = await client.post(FILES, json={"name": name} | said, headers=headers)
    assert declared.status_code == 201, declared.text
    url = declared.json()["content_url"]
    answer = await client.put(url, content=HEADER + content, headers=headers | {"Content-Type": "text/csv"})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def settle_all(accrual: Accrual) -> int:
    """What the worker's timer does."""
    count = 0
    settle = partial(settle_lines, programme=PROGRAMME, rules=RULES, tiers=accrual.rules.tiers)
    while decided := await accrual.database.run(settle):
        count += decided
    return count


async def file_now(client: Client, file_id: str) -> dict[str, Any]:
    """How far a file has come."""
    found: dict[str, Any] = (await client.get(f"{FILES}/{file_id}", headers=bearing("adjustments:read"))).json()
    return found
