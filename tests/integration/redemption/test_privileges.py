"""Privileges come into being through two people, and a till is told which a member has and what they give."""

from datetime import date, timedelta
from typing import Any

import asyncpg
import httpx2
import pytest

from services.redemption.api.member_data import member_data_router
from services.redemption.api.member_privileges import member_privileges_router
from services.redemption.api.privilege_checks import privilege_checks_router
from services.redemption.domain.errors import UnknownMemberError
from services.redemption.domain.privileges.life import NotAnOfferError
from services.redemption.domain.write_off.prices import by_settings
from services.redemption.domain.write_off.rules import Floor, WriteOffHistory, WriteOffRules
from services.redemption.repository import privilege_grants
from services.redemption.use_cases.check_privileges import NoPrivilegesError
from services.redemption.use_cases.declare_privileges import end_privilege, grant_privilege
from services.redemption.use_cases.project import project_tiers
from shared.database import Transaction
from shared.events.coalition import PartnerChanged, PartnerData
from shared.events.goods import MappedData, ProductMapped
from shared.events.tiers import TierData
from shared.ids import new_id
from tests.support.adjusting import slug
from tests.support.member_data import read_all, served
from tests.support.member_events import erased, status_changed
from tests.support.privileges import TENTH, applied, checked, declared, terms
from tests.support.receipts import member, merged_into
from tests.support.redemption import NOON, PROGRAMME, Admin, Spending, partner
from tests.support.registries import bearing

ANNA, BERT = member(1), member(2)
TILL = bearing("redemptions:write", client_id="till", partner_id="grocer")
ALICE = bearing("privileges:write", "privileges:approve", "privileges:read", client_id="alice")
BOB = bearing("privileges:approve", client_id="bob")
OFFER = {"kind": "offer"}
QUARTER_HOUR = timedelta(minutes=15)


def keyed(headers: dict[str, str]) -> dict[str, str]:
    return headers | {"Idempotency-Key": new_id().hex}


def document(privilege_id: str, **others: Any) -> dict[str, Any]:
    return terms(privilege_id, **others).model_dump(mode="json")


async def test_one_person_proposes_another_approves_and_tills_are_told(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    await spending.enrol(ANNA)
    await spending.coalition(partner("grocer", "Grocer"))
    body = document("tenth", partners=["grocer"], payers=[{"payer": "brand"}])
    proposed = await client.post("/v1/privileges", json=body, headers=keyed(ALICE))
    assert (proposed.status_code, proposed.json()["state"]) == (201, "proposed"), proposed.text
    taken = await client.post("/v1/privileges", json=body | {"name": "Another"}, headers=keyed(ALICE))
    assert slug(taken) == (409, "privilege-id-taken")
    own = await client.post("/v1/privileges/tenth/approve", headers=keyed(ALICE))
    assert slug(own) == (403, "own-privilege")
    approved = await client.post("/v1/privileges/tenth/approve", headers=keyed(BOB))
    assert (approved.json()["state"], approved.json()["approved_by"]) == ("approved", "bob")
    assert slug(await client.post("/v1/privileges/tenth/approve", headers=keyed(BOB))) == (409, "privilege-state")

    basket = {"member_id": str(ANNA), "lines": [{"line_id": 7, "amount_minor": 995}]}

    programme = await declared(spending)
    async with served(privilege_checks_router(spending.database, programme, QUARTER_HOUR)) as till:
        answer = (await till.post("/v1/privileges:check", json=basket, headers=TILL)).json()
        assert answer["privileges"][0]["lines"] == [{"line_id": 7, "amount_minor": 100}]
        assert (answer["amount_minor"], answer["lines"]) == (100, [{"line_id": 7, "left_minor": 895}])

        ended = await client.post("/v1/privileges/tenth/end", json={"reason": "a mistake"}, headers=keyed(BOB))
        assert ended.json()["state"] == "ended"
        await spending.do(programme.privileges.refresh)
        assert (await till.post("/v1/privileges:check", json=basket, headers=TILL)).json()["privileges"] == []
    listed = await client.get("/v1/privileges", headers=ALICE)
    assert [item["terms"]["privilege_id"] for item in listed.json()["items"]] == ["tenth"]
    assert (await client.get("/v1/privileges/tenth", headers=ALICE)).json() == ended.json()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"partners": ["nobody"]}, "/partners"),
        ({"benefit": {"kind": "percent", "percent": True}}, "/benefit/percent"),
        ({"first_day": 5}, "/first_day"),
        ({"surprise": 1}, "/surprise"),
    ],
)
async def test_terms_that_make_no_sense_are_refused_by_their_field(
    client: httpx2.AsyncClient, change: dict[str, Any], pointer: str
) -> None:
    answer = await client.post("/v1/privileges", json=document("tenth") | change, headers=keyed(ALICE))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_tier_an_offer_and_everyone_entitle(spending: Spending) -> None:
    await spending.enrol(ANNA)
    await spending.coalition(partner("grocer", "Grocer"), partner("fuel", "Fuel"))
    programme = await declared(
        spending,
        terms("gold-queue", {"kind": "queue"}, entitlement={"kind": "tier", "tiers": ["gold"]}),
        terms("offered", entitlement=OFFER),
        terms("told", {"kind": "information", "text": "Ask for the new flat bread"}),
        terms("far", partners=["fuel"]),
        terms("in-store", stores=["grocer/s2"]),
        terms("over", last_day="2026-01-31"),
    )
    assert applied(await checked(spending, programme, ANNA)) == {"told": 0}

    await spending.do(lambda transaction: project_tiers(transaction, [gold(1)]))
    assert await grant(spending, "offered") == ANNA
    assert applied(await checked(spending, programme, ANNA, store_id="s2")) == {
        "gold-queue": 0,
        "in-store": 100,
        "offered": 90,
        "told": 0,
    }
    yesterday = (await spending.now()).date() - timedelta(days=1)
    await grant(spending, "offered", yesterday)
    assert "offered" not in applied(await checked(spending, programme, ANNA))
    with pytest.raises(NotAnOfferError):
        await grant(spending, "told")


async def test_who_has_none_is_told_why(spending: Spending) -> None:
    await spending.enrol(ANNA)
    programme = await declared(spending, terms("tenth"))
    await spending.members(status_changed(ANNA, "earn_only", 2))
    assert applied(await checked(spending, programme, ANNA)) == {"tenth": 100}
    await spending.members(status_changed(ANNA, "suspended", 3))
    with pytest.raises(NoPrivilegesError, match="member_suspended"):
        await checked(spending, programme, ANNA)
    await spending.enrol(BERT)
    left = PartnerData(partner_id="grocer", version=1, name="Grocer", state="left")
    await spending.coalition(PartnerChanged(id=new_id(), source="test", subject="grocer", time=NOON, data=left))
    with pytest.raises(NoPrivilegesError, match="partner_left"):
        await checked(spending, programme, BERT)
    with pytest.raises(UnknownMemberError):
        await checked(spending, programme, member(9))


async def test_what_goods_count_as_and_their_floors_come_from_where_points_ask(spending: Spending) -> None:
    await spending.enrol(ANNA)
    mapped = MappedData(
        partner_id="grocer", version=1, partner_category="BRD", category_id="BREAD", path=("FOOD", "BREAD"),
        in_force_from=NOON - timedelta(days=400),
    )  # fmt: skip
    await spending.coalition(ProductMapped(id=new_id(), source="test", subject="grocer", time=NOON, data=mapped))
    half = terms("food", {"kind": "percent", "percent": 50}, goods={"categories": ["FOOD"]})
    programme = await declared(spending, half)
    lines = [{"line_id": 1, "amount_minor": 400, "category": "BRD"}, {"line_id": 2, "amount_minor": 400}]
    async with served(privilege_checks_router(spending.database, programme, QUARTER_HOUR)) as till:
        body = {"member_id": str(ANNA), "lines": lines}
        answer = (await till.post("/v1/privileges:check", json=body, headers=TILL)).json()
    assert answer["lines"] == [{"line_id": 1, "left_minor": 200}, {"line_id": 2, "left_minor": 400}]

    floor = Floor(id="bread", categories=("BREAD",), unit_minor=350)
    rules = WriteOffRules(**by_settings(PROGRAMME.pricing).model_dump() | {"floors": (floor,), "version": 1})
    programme.write_off.history = WriteOffHistory((rules,))
    async with served(privilege_checks_router(spending.database, programme, QUARTER_HOUR)) as till:
        answer = (await till.post("/v1/privileges:check", json=body, headers=TILL)).json()
    assert answer["lines"] == [{"line_id": 1, "left_minor": 350}, {"line_id": 2, "left_minor": 400}]


async def test_the_survivor_of_a_merge_has_what_was_granted_and_an_erasure_forgets_it(spending: Spending) -> None:
    await spending.enrol(ANNA)
    await spending.enrol(BERT)
    programme = await declared(spending, terms("offered", entitlement=OFFER))
    await grant(spending, "offered")
    async with served(member_data_router(spending.database, PROGRAMME)) as asking:
        assert [item["privilege_id"] for item in await read_all(asking, ANNA)] == ["offered"]

    await spending.members(merged_into(BERT, ANNA))
    assert applied(await checked(spending, programme, BERT)) == {"offered": 100}

    await spending.members(erased(ANNA))
    today = (await spending.now()).date()
    find = privilege_grants.find_granted
    assert await spending.do(lambda transaction: find(transaction, ANNA, today)) == frozenset()
    with pytest.raises(UnknownMemberError):
        await grant(spending, "offered", member_id=member(9))


async def test_terms_stand_as_the_second_person_read_them(spending: Spending, admin: Admin) -> None:
    await declared(spending, terms("tenth", TENTH))
    for change in ("terms = '{}'", "state = 'proposed', approved_by = null, approved_at = null"):
        with pytest.raises(asyncpg.CheckViolationError):
            await admin.execute(f"update redemption.redemption_privileges set {change}")
    await spending.do(lambda transaction: end_privilege(transaction, "tenth", "bob", "over"))
    with pytest.raises(asyncpg.CheckViolationError):
        await admin.execute("update redemption.redemption_privileges set ended_at = null")


def gold(version: int) -> TierData:
    return TierData(
        member_id=ANNA,
        version=version,
        old_tier="basic",
        new_tier="gold",
        reason="qualified",
        effective_at=NOON,
        scheme_version=1,
    )


async def grant(spending: Spending, privilege_id: str, last_day: date | None = None, member_id: Any = ANNA) -> Any:
    async def work(transaction: Transaction) -> Any:
        return (await grant_privilege(transaction, privilege_id, member_id, last_day, "alice")).member_id

    return await spending.do(work)


async def test_support_is_told_what_a_member_has_wherever_it_is_and_why(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    await spending.enrol(ANNA)
    await spending.enrol(BERT)
    await spending.coalition(partner("fuel", "Fuel"))
    today = (await spending.now()).date()
    last = today + timedelta(days=9)
    programme = await declared(
        spending,
        terms("everybodys", partners=["fuel"], limits=[{"per": "member", "period": "day", "uses_max": 2}]),
        terms("golds", entitlement={"kind": "tier", "tiers": ["gold"]}, order=200),
        terms("offered", entitlement=OFFER, order=300),
        terms("others", entitlement=OFFER, order=400),
    )
    await spending.do(lambda transaction: grant_privilege(transaction, "offered", ANNA, last, "alice"))
    await spending.do(lambda transaction: grant_privilege(transaction, "others", BERT, None, "alice"))
    reading = bearing("privileges:read")

    async with served(member_privileges_router(spending.database, programme)) as support:
        at = f"/v1/members/{ANNA}/privileges"
        answer = (await support.get(at, headers=reading)).json()
        assert (answer["member_id"], answer["tier"], answer["none_because"]) == (str(ANNA), None, None)
        everybodys, offered = answer["privileges"]
        assert (everybodys["privilege_id"], everybodys["because"], everybodys["partners"]) == (
            "everybodys",
            "everyone",
            ["fuel"],
        )
        assert everybodys["uses_left"] == 2
        assert (offered["because"], offered["granted_by"], offered["last_day"], offered["uses_left"]) == (
            "offer",
            "alice",
            last.isoformat(),
            None,
        )
        await spending.do(lambda transaction: project_tiers(transaction, [gold(1)]))
        found = (await support.get(at, headers=reading)).json()
        assert [one["because"] for one in found["privileges"]] == ["everyone", "tier", "offer"]

        await spending.members(merged_into(ANNA, BERT, version=2))
        survivors = (await support.get(f"/v1/members/{ANNA}/privileges", headers=reading)).json()
        assert "others" in [one["privilege_id"] for one in survivors["privileges"]]
        assert (await support.get(f"/v1/members/{BERT}/privileges", headers=reading)).json() == survivors

        await spending.members(status_changed(ANNA, "closed", 5))
        closed = (await support.get(at, headers=reading)).json()
        assert (closed["privileges"], closed["none_because"]) == ([], "member_closed")
        assert (await client.get(f"/v1/members/{member(9)}/privileges", headers=reading)).status_code == 404
        for headers in (bearing("privileges:read", partner_id="grocer"), bearing("balances:read")):
            assert (await support.get(at, headers=headers)).status_code == 403
