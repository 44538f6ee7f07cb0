"""Segments, and campaigns that members join: told over HTTP, and what was in force at the receipt's time is judged."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import APIRouter

from services.accrual.api.member_data import member_data_router
from services.accrual.api.memberships import MEMBERSHIP_PROBLEMS, membership_routers
from services.accrual.api.rule_sets import rule_set_routers
from services.accrual.domain.memberships import Membership
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.rules.needs import GroupName
from services.accrual.repository import memberships
from services.accrual.use_cases.show_receipt import show_receipt
from shared.database import Transaction
from shared.events.members import ErasureData, MemberErased
from shared.events.purchases import PurchaseRecorded
from shared.ids import new_id
from shared.rule_sets.routes import RULE_SET_PROBLEMS
from tests.support.accrual import PROGRAMME, Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.databases import FreshDatabase
from tests.support.interleaving import interleave
from tests.support.member_data import read_all, served
from tests.support.receipts import NOON, document, merged_into, purchase
from tests.support.registries import bearing

HOUR = timedelta(hours=1)


def fixed(rule_id: str, points: int, predicate: dict[str, object], *partners: str) -> dict[str, object]:
    effect, condition = {"kind": "fixed_points", "points": points}, {"when": predicate, "partners": partners}
    return {"id": rule_id, "name": rule_id, "condition": condition, "effect": effect}


SUMMER = {"id": "summer", "name": "Summer", "from_date": "2020-01-01", "until_date": "2099-12-31", "zone": "programme"}
DOCUMENT = {
    "campaigns": [SUMMER, *(SUMMER | {"id": code, "name": code} for code in ("petrol", "tyres", "both"))],
    "rules": [
        fixed("vip", 1, {"kind": "segment", "segments": ["vip", "gold"]}),
        fixed("summer", 10, {"kind": "campaign_member", "campaigns": ["summer"]}),
        fixed("petrol", 5, {"kind": "campaign_member", "campaigns": ["petrol", "both"]}, "fuel"),
        fixed("tyres", 5, {"kind": "not", "of": {"kind": "segment", "segments": ["vip"]}}, "fuel")
        | {"campaign": "tyres"},
        fixed("both", 5, {"kind": "campaign_member", "campaigns": ["both"]}, "grocer"),
    ],
}
RULE_SET = RuleSet.model_validate({"version": 1, "effective_from": datetime(2020, 1, 1, tzinfo=UTC)} | DOCUMENT)
numbers = iter(range(1, 1_000))


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULE_SET) as accrual:
        yield accrual


@pytest.fixture(scope="module")
async def client(accrual: Accrual) -> AsyncIterator[httpx2.AsyncClient]:
    router, database = APIRouter(), accrual.database
    routers = (*membership_routers(database), member_data_router(database))
    for each in (*routers, *rule_set_routers(database, PROGRAMME.zone)):
        router.include_router(each)
    async with served(router, {**RULE_SET_PROBLEMS, **MEMBERSHIP_PROBLEMS}) as opened:
        for code in ("vip", "gold"):
            body = {"code": code, "name": code.title()}
            assert (await opened.post("/v1/segments", json=body, headers=bearing("segments:write"))).status_code == 201
        yield opened


@pytest.fixture
async def anna(accrual: Accrual) -> UUID:
    return await joined(accrual)


async def now_of(accrual: Accrual) -> datetime:
    async with accrual.database.transaction() as transaction:
        return transaction.now


def bought(owner: UUID, at: datetime) -> PurchaseRecorded:
    return purchase(next(numbers), 1_000, owner=owner, occurred_at=at)


async def change(client: httpx2.AsyncClient, *changes: dict[str, object], code: str = "vip") -> dict[str, object]:
    url = f"/v1/segments/{code}/members"
    answer = await client.post(url, json={"changes": list(changes)}, headers=bearing("segments:write"))
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.json()
    return told


async def act(
    client: httpx2.AsyncClient,
    owner: UUID,
    action: str,
    campaign: str = "summer",
    app: tuple[str, str | None] = ("app", "grocer"),
    /,
    **times: str,
) -> httpx2.Response:
    """An app of the grocer's lets a member join a campaign, or leave it."""
    url = f"/v1/members/{owner}/campaigns/{campaign}:{action}"
    headers = bearing("campaigns:join", client_id=app[0], partner_id=app[1])
    return await client.post(url, json=times if action == "join" else None, headers=headers)


async def test_a_receipt_is_judged_by_the_groups_of_its_time_whenever_it_comes(
    accrual: Accrual, client: httpx2.AsyncClient, anna: UUID
) -> None:
    before = await now_of(accrual)
    assert await change(client, {"member_id": str(anna)}) == {"applied": 1, "unchanged": 0, "refused": []}
    assert await change(client, {"member_id": str(anna)}) == {"applied": 0, "unchanged": 1, "refused": []}
    until = (before + 2 * HOUR).isoformat()
    stay = (await act(client, anna, "join", until_at=until)).json()
    assert (stay["code"], stay["changed_by"]) == ("summer", "app")

    late = bought(anna, before - HOUR)
    within, after = bought(anna, before + HOUR), bought(anna, before + 3 * HOUR)
    assert [(await accrual.award(each)).points for each in (late, within, after)] == [0, 11, 1]

    # Whatever becomes of it later, the award tells of then.
    assert (await act(client, anna, "leave")).status_code == 200
    await change(client, {"member_id": str(anna), "action": "remove"})
    async with accrual.database.transaction() as transaction:
        story = await show_receipt(transaction, document(within).natural_key, accrual.rules)
    assert story.evaluation is not None
    assert story.evaluation.points == 11
    assert (await accrual.award(bought(anna, before + HOUR))).points == 0


async def test_a_partners_app_sees_the_campaigns_of_its_own_receipts_and_no_others_clients(
    client: httpx2.AsyncClient, anna: UUID
) -> None:
    """A campaign that only rules of another partner ask for, or belong to, is not there for it."""
    fuels, support = ("pump", "fuel"), ("desk", None)
    for campaign in ("petrol", "tyres"):
        assert (await act(client, anna, "join", campaign, fuels)).json()["changed_by"] == "pump"
        assert [(await act(client, anna, what, campaign)).status_code for what in ("join", "leave")] == [404, 404]
        assert (await act(client, anna, "join", campaign, support)).json()["changed_by"] == "pump"

    theirs = (await act(client, anna, "join", "both", fuels)).json()
    same = (await act(client, anna, "join", "both")).json()
    assert (same["membership_id"], same["changed_by"]) == (theirs["membership_id"], None)
    assert (await act(client, anna, "leave", "both")).status_code == 200


async def test_one_that_cannot_be_harms_no_other(accrual: Accrual, client: httpx2.AsyncClient, anna: UUID) -> None:
    stranger, past = uuid4(), (await now_of(accrual) - HOUR).isoformat()
    told = await change(
        client,
        {"member_id": str(stranger)},
        {"member_id": str(anna), "from_at": past},
        {"member_id": str(anna)},
        code="gold",
    )

    assert told["applied"] == 1
    assert told["refused"] == [
        {"member_id": str(stranger), "reason": "unknown_member"},
        {"member_id": str(anna), "reason": "times"},
    ]
    shown = await client.get("/v1/segments/gold/members", headers=bearing("memberships:read"))
    assert [one["member_id"] for one in shown.json()["items"]] == [str(anna)]


@pytest.mark.parametrize(
    ("campaign", "times", "status"), [("winter", {}, 404), ("summer", {"until_at": "2026-01-01T00:00:00Z"}, 422)]
)
async def test_what_cannot_be_joined_is_refused(
    client: httpx2.AsyncClient, anna: UUID, campaign: str, times: dict[str, str], status: int
) -> None:
    assert (await act(client, anna, "join", campaign, **times)).status_code == status
    assert (await act(client, uuid4(), "join")).status_code == 404


async def test_partners_neither_write_segments_nor_read_who_is_in_them(client: httpx2.AsyncClient, anna: UUID) -> None:
    bound = bearing("segments:write", "memberships:read", client_id="acme", partner_id="acme")
    body = {"changes": [{"member_id": str(anna)}]}
    assert (await client.post("/v1/segments/vip/members", json=body, headers=bound)).status_code == 404
    for path in ("/v1/segments", "/v1/segments/vip/members", f"/v1/members/{anna}/memberships"):
        assert (await client.get(path, headers=bound)).status_code == 404


async def test_a_draft_names_segments_and_campaigns_that_are_there(client: httpx2.AsyncClient) -> None:
    rules = [
        fixed("a", 1, {"kind": "segment", "segments": ["vip", "nobody"]}),
        fixed("b", 1, {"kind": "campaign_member", "campaigns": ["winter"]}),
    ]
    answer = await client.post("/v1/rule-sets", json=DOCUMENT | {"rules": rules}, headers=bearing("rules:write"))

    told = {each["pointer"]: each["detail"] for each in answer.json()["errors"]}
    assert told == {
        "/rules/0/condition/when/segments/1": "there is no such segment: declare it first",
        "/rules/1/condition/when/campaigns/0": "there is no such campaign: declare it in campaigns",
    }


async def test_a_merge_joins_where_both_were_and_an_erasure_forgets_it(
    accrual: Accrual, client: httpx2.AsyncClient, anna: UUID
) -> None:
    gone = await joined(accrual)
    await change(client, {"member_id": str(gone)})
    assert (await act(client, anna, "join")).status_code == 200
    await accrual.members(merged_into(anna, gone))
    await accrual.members(merged_into(anna, gone))

    assert (await accrual.award(bought(gone, await now_of(accrual) + HOUR))).points == 11
    stays = (await client.get(f"/v1/members/{gone}/memberships", headers=bearing("memberships:read"))).json()["items"]
    assert [(one["member_id"], one["code"]) for one in stays] == [(str(anna), "vip"), (str(anna), "summer")]
    exported = [one for one in await read_all(client, anna) if one["kind"] == "membership"]
    assert [(one["group"], one["code"]) for one in exported] == [("segment", "vip"), ("campaign", "summer")]
    assert not any("changed_by" in one for one in exported)

    erasure = ErasureData(member_id=anna, version=9, identifier_hashes=())
    await accrual.members(MemberErased(id=new_id(), source="test", subject=str(anna), time=NOON, data=erasure))
    assert await read_all(client, anna) == [one for one in await read_all(client, anna) if one["kind"] == "award"]
    assert (await act(client, anna, "join")).status_code == 404


async def test_whoever_joins_waits_for_who_decides_on_the_member(accrual: Accrual, anna: UUID) -> None:
    now = await now_of(accrual)
    event = bought(anna, now + HOUR)
    stay = Membership(new_id(), anna, GroupName("segment", "vip"), now, None, "alice")

    async def put_in(transaction: Transaction) -> None:
        await transaction.raw.execute("select from members where member_id = $1 for no key update", anna)
        await memberships.save(transaction, [stay])

    async def award(transaction: Transaction) -> None:
        assert (await accrual.award_in(transaction, [event])).points == 1

    await interleave(accrual.database, put_in, award)
