"""Who pays for points, and what they may be spent on: from the rule to the lot, and in what is told of it."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import httpx2
import pytest

from services.accrual.use_cases.expire_points import expire_page
from services.redemption.domain.holding import HoldRequest
from services.redemption.use_cases.hold_points import Declined, Held, Spender, hold_points
from shared.database import Database
from shared.database.roles import role_name
from shared.events.expiry import PointsExpired
from shared.events.points import PointsClawedBack, PointsEarned
from shared.events.purchases import PurchaseRecorded
from shared.ledger import Funding, HeldSince, Limits, LotTerms, load_usable
from shared.ledger.due_lots import LotPlace
from tests.support.accrual import PROGRAMME, Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.databases import FreshDatabase
from tests.support.earning_in_parts import balances, hold, release, rule, rule_set
from tests.support.ledger_database import lots_of, verified
from tests.support.receipts import NOON, line, purchase, return_of
from tests.support.redemption import PROGRAMME as TILLS
from tests.support.redemption import Spending
from tests.support.redemption import enrolled as spender
from tests.support.registries import bearing
from tests.support.rule_sets import rules_document

MILK: dict[str, Any] = {
    "id": "milk",
    "name": "Milk",
    "from_date": "2026-10-01",
    "until_date": "2026-12-31",
    "zone": "programme",
    "funding": {
        "payers": [{"payer": "danone", "share_bp": 6_667}, {"payer": "grocer", "share_bp": 3_333}],
        "price": {"minor_per_point": "0.85", "currency": "USD"},
    },
    "limits": {"categories": ["dairy"], "stores": [{"partner_id": "grocer", "store_id": "s1"}]},
    "basis": "prize",
}
RULES = rule_set(
    rule("base"),
    rule("double", {"kind": "multiplier", "percent": 200}, campaign="milk", condition={"categories": ["MILK"]}),
    campaigns=[MILK],
    expires_after_days=30,
)
DANONE = Funding((("danone", 6_667), ("grocer", 3_333)), 8_500, "USD", "milk")
ACME = Funding((("acme", 1),))
DAIRY = Limits(categories=("dairy",), stores=("grocer/s1",))
GONE_ON = date(2026, 12, 1)
_numbers = count(1)


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULES, zone=PROGRAMME.zone) as accrual:
        yield accrual


@pytest.fixture
async def owner(accrual: Accrual) -> UUID:
    return await joined(accrual)


def bought(owner: UUID) -> PurchaseRecorded:
    """Milk for 10 dollars, and bread for 6 that acme sold."""
    sold = [line(1, 1_000, "MILK"), line(2, 600).model_copy(update={"seller": "acme"})]
    return purchase(next(_numbers), sold, owner=owner)


def lot(funding: Funding | None, limits: Limits | None = None, basis: str = "purchase") -> LotTerms:
    return LotTerms("grocer", NOON.date(), GONE_ON, basis, funding, limits)


async def lots(accrual: Accrual, owner: UUID) -> dict[LotTerms, int]:
    found = await lots_of(accrual.database, [owner])
    return {terms: remaining for (_, _, (terms, _)), (remaining, _) in found.items()}


async def test_payers_limits_and_sellers_come_into_the_lots_and_into_what_is_told(
    accrual: Accrual, owner: UUID
) -> None:
    await accrual.award(bought(owner))

    assert await lots(accrual, owner) == {lot(None): 10, lot(ACME): 6, lot(DANONE, DAIRY, "prize"): 10}
    told = [event.data for event in await accrual.drain() if isinstance(event, PointsEarned)]
    assert [data.points for data in told] == [10, 6, 10]
    plain, sold, funded = [data.part for data in told]
    assert plain is not None
    assert sold is not None
    assert funded is not None
    assert (plain.funding, plain.limits, plain.basis) == (None, None, None)
    assert sold.funding is not None
    assert [(one.payer, one.weight) for one in sold.funding.payers] == [("acme", 1)]
    assert funded.funding is not None
    assert [(one.payer, one.weight) for one in funded.funding.payers] == [("danone", 6_667), ("grocer", 3_333)]
    assert (funded.funding.price, funded.funding.currency, funded.funding.campaign) == ("0.008500", "USD", "milk")
    assert funded.limits is not None
    assert (funded.limits.categories, funded.limits.stores, funded.basis) == (("dairy",), ("grocer/s1",), "prize")


async def test_a_receipt_says_who_pays_and_on_what_it_may_be_spent(
    accrual: Accrual, client: httpx2.AsyncClient, owner: UUID
) -> None:
    event = bought(owner)
    await accrual.award(event)

    told = await client.get(f"/v1/receipts/{event.data.receipt_id}", headers=bearing("receipts:read"))

    parts = [(one["points"], one.get("paid_by"), one.get("usable")) for one in told.json()["award"]["parts"]]
    assert parts == [
        (10, None, None),
        (6, ["acme"], None),
        (10, ["danone", "grocer"], "in store grocer/s1, for goods of dairy"),
    ]


async def test_returns_take_from_whoever_paid_to_the_last_point(
    accrual: Accrual, owner: UUID, module_database: FreshDatabase
) -> None:
    event = bought(owner)
    await accrual.award(event)
    await accrual.drain()

    await accrual.award(return_of(event, next(_numbers), {1: 333}), return_of(event, next(_numbers), {2: 500}))
    assert await lots(accrual, owner) == {lot(None): 6, lot(ACME): 3, lot(DANONE, DAIRY, "prize"): 6}
    told = [event.data for event in await accrual.drain() if isinstance(event, PointsClawedBack)]
    paid = [(data.points, data.funding.payers[0].payer if data.funding else None) for data in told]
    assert paid == [(4, None), (4, "danone"), (3, "acme")]

    await accrual.award(return_of(event, next(_numbers), {1: 667, 2: 500}))
    assert await lots(accrual, owner) == {}
    assert (await verified(module_database)).is_sound


async def test_what_a_rule_limits_is_spent_on_that_alone(
    accrual: Accrual, owner: UUID, module_database: FreshDatabase
) -> None:
    """From the rule to the lot, the basket and the balance: 10 of 26 points are for dairy in one store."""
    await accrual.award(bought(owner))
    tills = Spending(Database(module_database.url(role_name("redemption")), zone=PROGRAMME.zone))
    await tills.members(spender(owner))

    usable = await tills.do(lambda transaction: load_usable(transaction, [owner], "points"))
    assert [(one.limits, one.available) for one in usable] == [(None, 16), (DAIRY, 10)]
    elsewhere = await tills.hold(owner, 17)
    assert isinstance(elsewhere, Declined)
    assert elsewhere.available == 16
    request = HoldRequest("grocer", 12, NOON + timedelta(days=9_999), "s1", frozenset({"dairy"}))
    held = await tills.do(lambda transaction: hold_points(transaction, Spender(owner), request, TILLS))
    assert isinstance(held, Held)
    left = await tills.do(lambda transaction: load_usable(transaction, [owner], "points"))
    assert [(one.limits, one.available) for one in left] == [(None, 14)]  # dairy's own points went first
    await tills.database.close()


async def test_fraud_holds_and_lets_go_what_others_pay_for_too(accrual: Accrual, owner: UUID) -> None:
    event = bought(owner)
    await hold(accrual, event)
    await accrual.award(event)
    assert (await balances(accrual, owner)).pending == 26

    await release(accrual, event)
    assert await lots(accrual, owner) == {lot(None): 10, lot(ACME): 6, lot(DANONE, DAIRY, "prize"): 10}


async def test_what_lapses_says_who_paid_for_it(accrual: Accrual, owner: UUID) -> None:
    await accrual.award(bought(owner))
    await accrual.drain()

    async with accrual.database.transaction() as transaction:
        await expire_page(transaction, GONE_ON, LotPlace(0, b""), lots_max=1_000, due_max=1_000, held_since=HeldSince())
    told = [event.data for event in await accrual.drain() if isinstance(event, PointsExpired)]
    [data] = [data for data in told if data.member_id == owner]
    assert data.points == 26
    assert {(one.payers[0].payer, one.campaign, one.points) for one in data.by_funding} == {
        ("acme", None, 6),
        ("danone", "milk", 10),
    }


async def test_a_draft_that_names_nobody_or_does_not_add_up_is_refused_and_a_good_one_is_kept(
    accrual: Accrual, client: httpx2.AsyncClient
) -> None:
    good = rules_document(campaigns=[MILK])
    good["rules"][0] |= {"campaign": "milk"}
    short = {"payers": [{"payer": "danone", "share_bp": 9_999}]}
    other = {
        "payers": [{"payer": "no payer", "share_bp": 10_000}],
        "price": {"minor_per_point": "1", "currency": "ABC"},
    }
    strange = {"partners": ["nobody"], "stores": [{"partner_id": "grocer", "store_id": "s9"}]}
    over = {"dates": [{"until_date": "2020-01-01"}]}
    bad = rules_document(campaigns=[MILK | {"funding": short}, MILK | {"id": "two", "limits": over}])
    bad["rules"].append(bad["rules"][0] | {"id": "other", "funding": other})
    bad["rules"].append(bad["rules"][0] | {"id": "strange", "limits": strange | {"partners": ["nobody", "grocer"]}})

    refused = await client.post("/v1/rule-sets", json=bad, headers=bearing("rules:write"))
    kept = await client.post("/v1/rule-sets", json=good, headers=bearing("rules:write"))

    assert refused.status_code == 422
    assert {error["pointer"] for error in refused.json()["errors"]} == {
        "/campaigns/0/funding",
        "/campaigns/1/limits/dates",
        "/rules/1/funding/payers/0/payer",
        "/rules/1/funding/price",
        "/rules/2/limits/partners/0",
        "/rules/2/limits/stores/0/store_id",
    }
    assert kept.status_code == 201, kept.text
    del accrual


async def test_the_diff_tells_of_payers_and_limits(accrual: Accrual, client: httpx2.AsyncClient) -> None:
    del accrual
    first = rules_document(campaigns=[MILK | {"limits": None}])
    first["rules"][0] |= {"campaign": "milk"}
    payers = [{"payer": "danone", "share_bp": 10_000}]
    second = first | {"campaigns": [MILK | {"limits": None, "funding": MILK["funding"] | {"payers": payers}}]}
    paths = [
        (await client.post("/v1/rule-sets", json=document, headers=bearing("rules:write"))).json()["rule_set_id"]
        for document in (first, second)
    ]

    diff = await client.get(f"/v1/rule-sets/{paths[1]}/diff?against={paths[0]}", headers=bearing("rules:read"))

    pointers = {change["pointer"] for change in diff.json()["elsewhere"]}
    assert pointers
    assert all(pointer.startswith("/campaigns/0/funding/payers") for pointer in pointers)


async def test_a_till_names_sellers_and_a_preview_says_who_pays(
    accrual: Accrual, client: httpx2.AsyncClient, owner: UUID
) -> None:
    sold = {"sku": "a", "quantity": "1", "amount_minor": 600}
    key = {"scheme": "sequence", "store_id": "s1", "till_id": "1", "business_date": "2026-11-01", "shift": 9}
    document = {
        "key": key | {"number": 1},
        "occurred_at": NOON.isoformat(),
        "currency": "USD",
        "total_minor": 1_200,
        "lines": [{"line_id": 1, **sold, "seller": "acme"}, {"line_id": 2, **sold, "category": "MILK"}],
    }
    till = bearing("receipts:write", partner_id="grocer")
    del accrual, owner

    nobody = await client.post("/v1/receipts:preview", json=document, headers=till)
    many = [{"line_id": number, **sold, "seller": f"s{number}"} for number in range(1, 102)]
    refused = await client.post(
        "/v1/receipts:preview", json=document | {"lines": many, "total_minor": 101 * 600}, headers=till
    )
    misspelt = await client.post(
        "/v1/receipts:preview", json=document | {"lines": [{"line_id": 1, **sold, "seller": "~x"}]}, headers=till
    )

    assert nobody.json()["status"] == "parked"  # it names nobody, and may name sellers
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/lines"]
    assert misspelt.json()["errors"][0]["pointer"] == "/lines/0/seller"
