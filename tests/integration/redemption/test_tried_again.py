"""The same request under the same key, once what it had lacked is there: over HTTP, on the real tables."""

from typing import Any

import httpx2

from shared.ids import new_id
from tests.support.receipts import member
from tests.support.redemption import Spending, partner
from tests.support.registries import bearing
from tests.support.rewards import programme, slug, terms

ANNA = member(1)


async def test_a_member_who_enrolled_just_now_gets_the_hold_under_the_same_key(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    till = bearing("redemptions:write", client_id="g", partner_id="grocer")
    redemption_id = str(new_id())

    async def hold() -> httpx2.Response:
        body = {"member_id": str(ANNA), "points": 50, "redemption_id": redemption_id}
        return await client.post("/v1/redemptions", json=body, headers=till)

    assert slug(await hold()) == (404, "unknown-member")
    await spending.enrol(ANNA, 100)
    held = await hold()
    assert (held.status_code, held.json()["redemption_id"]) == (201, redemption_id)
    assert (await hold()).headers["Idempotency-Replayed"] == "true"
    assert await spending.kinds() == ["Held"]


async def test_a_partner_whom_the_coalition_tells_of_a_moment_later(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    words = {"privilege_id": "queue", "name": "Queue", "entitlement": {"kind": "everyone"}, "first_day": "2026-01-01"}
    asked: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
        "/v1/rewards": ({"reward_id": "coffee", "terms": terms(supply="unlimited")}, programme()),
        "/v1/privileges": (
            words | {"benefit": {"kind": "queue"}, "partners": ["grocer"]},
            bearing("privileges:write", client_id="ann"),
        ),
    }
    for path, (body, headers) in asked.items():
        early = await client.post(path, json=body, headers=headers)
        assert (early.status_code, early.headers["Retry-After"]) == (422, "5"), early.text
    await spending.coalition(partner("grocer", "Grocer"))
    for path, (body, headers) in asked.items():
        assert (await client.post(path, json=body, headers=headers)).status_code == 201
