"""Tiers over HTTP: schemes are published, a tier is shown, grants are given and taken back, an export tells all."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter

from services.accrual.api.member_data import member_data_router
from services.accrual.api.tier_problems import TIER_PROBLEMS
from services.accrual.api.tiers import tier_routers
from shared.database import Database
from shared.rule_sets.routes import RULE_SET_PROBLEMS
from tests.support.accrual import Accrual
from tests.support.accrual_tiers import kept_rows, now_of, publish
from tests.support.member_data import read_all, served
from tests.support.receipts import enrolled, member, merged_into, purchase
from tests.support.registries import bearing
from tests.support.tiers import LADDER, TEN_DAYS, scheme

ANNA, ANNE, STRANGER = member(1), member(2), member(9)
TIER, GRANTS = f"/v1/members/{ANNA}/tier", f"/v1/members/{ANNA}/tier-grants"
# What tiers multiply by is given by rules, or the scheme is refused (``test_tier_multipliers``); here no rule does.
PLAIN = [tier | {"benefits": {"privileges": ["lounge"]}} for tier in LADDER]
DRAFT: dict[str, Any] = {"tiers": PLAIN, "period": TEN_DAYS, "zone": "Europe/Berlin"}


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> Accrual:
    accrual = Accrual(database_of("accrual"))
    await accrual.begin()
    await accrual.members(enrolled(ANNA), enrolled(ANNE))
    return accrual


@pytest.fixture
async def client(accrual: Accrual) -> AsyncIterator[httpx2.AsyncClient]:
    router = APIRouter()
    for each in (*tier_routers(accrual.database), member_data_router(accrual.database)):
        router.include_router(each)
    async with served(router, {**RULE_SET_PROBLEMS, **TIER_PROBLEMS}) as opened:
        yield opened


def keyed(scope: str, key: str, **claims: str) -> dict[str, str]:
    return bearing(scope, **claims) | {"Idempotency-Key": key}


async def publish_over_http(
    client: httpx2.AsyncClient, key: str, effective_from: datetime, **changes: object
) -> httpx2.Response:
    body = DRAFT | {"effective_from": effective_from.isoformat()} | changes
    return await client.post("/v1/tier-schemes", json=body, headers=keyed("tiers:write", key))


async def test_versions_are_published_ahead_and_stay(accrual: Accrual, client: httpx2.AsyncClient) -> None:
    soon = await now_of(accrual) + timedelta(hours=1)

    first = await publish_over_http(client, "1", soon)
    again = await publish_over_http(client, "1", soon)
    second = await publish_over_http(client, "2", soon + timedelta(days=1), downgrade="one_step")

    assert (first.status_code, again.json(), second.json()["version"]) == (201, first.json(), 2)
    shown = await client.get("/v1/tier-schemes/1", headers=bearing("tiers:read"))
    assert shown.json() == first.json()
    listed = await client.get("/v1/tier-schemes", params={"limit": "1"}, headers=bearing("tiers:read"))
    following = {"limit": "1", "cursor": listed.json()["next_cursor"]}
    rest = await client.get("/v1/tier-schemes", params=following, headers=bearing("tiers:read"))
    assert [page.json()["items"][0]["version"] for page in (listed, rest)] == [1, 2]
    assert rest.json()["next_cursor"] is None
    assert (await client.get("/v1/tier-schemes/3", headers=bearing("tiers:read"))).status_code == 404


async def test_what_is_not_published(accrual: Accrual, client: httpx2.AsyncClient) -> None:
    now = await now_of(accrual)
    assert (await publish_over_http(client, "1", now + timedelta(hours=1))).status_code == 201

    refused = [
        await publish_over_http(client, "2", now + timedelta(seconds=30)),
        await publish_over_http(client, "3", now + timedelta(hours=2), zone="Europe/Vienna"),
        await publish_over_http(client, "4", now + timedelta(hours=2), tiers=LADDER[1:]),
        await publish_over_http(client, "5", now + timedelta(hours=2), surprise=1),
    ]

    assert [answer.status_code for answer in refused] == [422, 422, 422, 422]
    assert [answer.json()["type"].rsplit("/", 1)[-1] for answer in refused[:2]] == [
        "published-too-late",
        "tier-zone-changed",
    ]
    bound = keyed("tiers:write", "6", client_id="acme", partner_id="acme")
    body = DRAFT | {"effective_from": (now + timedelta(hours=2)).isoformat()}
    assert (await client.post("/v1/tier-schemes", json=body, headers=bound)).status_code == 404


async def test_the_programme_sees_all_and_a_till_the_tier(accrual: Accrual, client: httpx2.AsyncClient) -> None:
    await publish(accrual, scheme(period=TEN_DAYS))
    now = await now_of(accrual)
    await accrual.award(purchase(1, 12_000, owner=ANNA, occurred_at=now))

    answer = (await client.get(TIER, headers=bearing("tiers:read"))).json()

    assert answer["tier"] == {"code": "silver", "name": "Silver", "multiplier_percent": 125, "privileges": []}
    assert datetime.fromisoformat(answer["until"]) > now + timedelta(days=9)
    qualification = answer["qualification"]
    assert (qualification["points"], qualification["spend_minor"], qualification["visits"]) == (120, 12_000, 1)
    assert answer["to_next"]["needs"] == [{"measure": "points", "needed": 500, "missing": 380}]
    assert answer["to_keep"]["needs"] == [{"measure": "points", "needed": 100, "missing": 0}]
    bound = bearing("tiers:read", client_id="acme", partner_id="acme")
    at_till = (await client.get(TIER, headers=bound)).json()
    assert at_till["tier"] == answer["tier"]
    assert [at_till[name] for name in ("qualification", "to_next", "to_keep", "grants")] == [None] * 4
    nobody = await client.get(f"/v1/members/{STRANGER}/tier", headers=bearing("tiers:read"))
    assert nobody.status_code == 404


async def test_there_is_no_tier_without_a_scheme(client: httpx2.AsyncClient) -> None:
    assert (await client.get(TIER, headers=bearing("tiers:read"))).status_code == 404


async def test_a_grant_is_given_shown_and_taken_back(accrual: Accrual, client: httpx2.AsyncClient) -> None:
    await publish(accrual, scheme(period=TEN_DAYS))
    now = await now_of(accrual)
    body = {"tier": "gold", "ends_at": (now + timedelta(days=30)).isoformat(), "reason_code": "vip"}

    given = await client.post(GRANTS, json=body, headers=keyed("tiers:grant", "1", client_id="carol"))
    again = await client.post(GRANTS, json=body, headers=keyed("tiers:grant", "1", client_id="carol"))

    assert (given.status_code, again.json()) == (201, given.json())
    assert (given.json()["author"], given.json()["reason_code"]) == ("carol", "vip")
    shown = (await client.get(TIER, headers=bearing("tiers:read"))).json()
    assert (shown["tier"]["code"], shown["earned_tier"], shown["grants"]) == ("gold", "basic", [given.json()])
    url = f"{GRANTS}/{given.json()['grant_id']}"
    taken = await client.delete(url, headers=bearing("tiers:grant", client_id="dave"))
    assert (taken.status_code, taken.json()["revoked_by"]) == (200, "dave")
    assert (await client.delete(url, headers=bearing("tiers:grant", client_id="eve"))).json() == taken.json()
    assert (await client.get(TIER, headers=bearing("tiers:read"))).json()["tier"]["code"] == "basic"
    assert len(await kept_rows(accrual, "tier_changes")) == 2


async def test_grants_that_cannot_be(
    accrual: Accrual, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.accrual.use_cases.grant_tier.OPEN_GRANTS_MAX", 1)
    await publish(accrual, scheme(period=TEN_DAYS))
    now = await now_of(accrual)
    body = {"tier": "gold", "ends_at": (now + timedelta(days=30)).isoformat(), "reason_code": "vip"}
    longest = (now + timedelta(days=4_000)).isoformat()

    async def refused(key: str, url: str = GRANTS, **changes: object) -> int:
        headers = keyed("tiers:grant", key)
        return (await client.post(url, json=body | changes, headers=headers)).status_code

    assert [
        await refused("1", tier="platinum"),
        await refused("2", ends_at=now.isoformat()),
        await refused("3", ends_at=longest),
        await refused("4", url=f"/v1/members/{STRANGER}/tier-grants"),
        await refused("5"),
        await refused("6"),
    ] == [422, 422, 422, 404, 201, 409]
    bound = keyed("tiers:grant", "7", client_id="acme", partner_id="acme")
    assert (await client.post(GRANTS, json=body, headers=bound)).status_code == 404
    unknown = f"{GRANTS}/{member(5)}"
    assert (await client.delete(unknown, headers=bearing("tiers:grant"))).status_code == 404


async def test_an_export_tells_all_of_it_and_what_came_under_an_old_id(
    accrual: Accrual, client: httpx2.AsyncClient
) -> None:
    await publish(accrual, scheme(period=TEN_DAYS))
    now = await now_of(accrual)
    body = {"tier": "gold", "ends_at": (now + timedelta(days=30)).isoformat(), "reason_code": "vip"}
    await client.post(GRANTS, json=body, headers=keyed("tiers:grant", "1"))
    yesterday = now - timedelta(days=1)
    await accrual.award(
        purchase(1, 12_000, owner=ANNA, occurred_at=now), purchase(2, 100, owner=ANNA, occurred_at=yesterday)
    )

    items = [item for item in await read_all(client, ANNA) if item["kind"].startswith("tier")]

    assert [item["kind"] for item in items] == ["tier", "tier_day", "tier_day", "tier_grant", "tier_change"]
    assert (items[0]["tier"], items[0]["earned_tier"]) == ("gold", "silver")
    assert [item["points"] for item in items[1:3]] == [1, 120]
    assert "author" not in items[3]
    for limit in (1, 2):
        assert [item for item in await read_all(client, ANNA, limit) if item["kind"].startswith("tier")] == items
    await accrual.members(merged_into(ANNE, ANNA))
    kinds = [item["kind"] for item in await read_all(client, ANNA)]
    assert [kind for kind in kinds if kind.startswith("tier")] == ["tier_change"]
