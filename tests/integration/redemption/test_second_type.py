"""Points of a second type are spent like the programme's own: each by itself, priced by itself, owed by itself."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from services.redemption.domain.holding import HoldRequest, Paid
from services.redemption.domain.tender import PointsTender, points_tenders
from services.redemption.repository import waiting_tenders
from services.redemption.use_cases.hold_points import Declined, Held, Spender, hold_points
from services.redemption.use_cases.project import take_in_members
from services.redemption.use_cases.settle_tenders import TenderReport, settle_tenders
from shared import ledger
from shared.database import Transaction
from shared.events.members import MemberEvent
from shared.events.purchases import Tender
from shared.events.redemptions import PointsGifted, RedemptionCaptured, RedemptionDeclined, RedemptionHeld
from shared.ids import new_id
from shared.ledger import Balances, ClawBack, Earn, LotTerms
from shared.point_types import OtherPointType, PointTypes
from tests.support.adjusting import slug
from tests.support.databases import FreshDatabase
from tests.support.partner_funds import contract
from tests.support.pooling import Place, belongs, left_just_now, move_in
from tests.support.receipts import card, member, purchase
from tests.support.redemption import NOON, PROGRAMME, Spending, linked, till_receipt, void_of
from tests.support.redemption_service import redemption_service
from tests.support.registries import bearing

ANNA, BERT = member(1), member(2)
CARD = card(1)
OTHERS = (OtherPointType(code="miles", use="spend", exponent=2, minor_per_point=5), OtherPointType(code="status"))
TYPES = PointTypes("points", 0, OTHERS)
MILES = replace(
    PROGRAMME, point_types=TYPES, pricing=replace(PROGRAMME.pricing, others=TYPES.prices), debt_stops_spending=True
)
TERMS = LotTerms("grocer", NOON.date(), None)
TILL = bearing("redemptions:write", "redemptions:read", "balances:read", client_id="g", partner_id="grocer")


@pytest.fixture(scope="module")
async def client(own_database: FreshDatabase) -> AsyncIterator[httpx2.AsyncClient]:
    async with redemption_service(own_database, "api", other_point_types=OTHERS) as client:
        yield client


async def give(spending: Spending, owner: UUID, miles: int) -> None:
    earned = Earn(owner, "miles", new_id().bytes, miles, TERMS)
    await spending.do(lambda transaction: ledger.post(transaction, [earned]))


async def miles_of(spending: Spending, owner: UUID) -> Balances:
    return await spending.do(lambda transaction: _loaded(transaction, owner))


async def _loaded(transaction: Transaction, owner: UUID) -> Balances:
    return (await ledger.load_balances(transaction, [owner], "miles"))[owner]


async def hold(
    spending: Spending,
    points: int,
    point_type: str | None = "miles",
    *,
    redemption_id: UUID | None = None,
    owner: UUID = ANNA,
) -> Held | Declined | Paid:
    async def ask(transaction: Transaction) -> Held | Declined | Paid:
        until = transaction.now + timedelta(minutes=15)
        request = HoldRequest("grocer", points, until, point_type=point_type)
        return await hold_points(transaction, Spender(owner), request, MILES, redemption_id)

    return await spending.do(ask)


def tender(
    number: int,
    amount_minor: int,
    redemption_id: UUID | None = None,
    point_type: str | None = None,
    *,
    owner: UUID | None = ANNA,
    identifier_hash: str | None = None,
) -> PointsTender:
    paid = Tender(kind="points", amount_minor=amount_minor, redemption_id=redemption_id, point_type=point_type)
    event = purchase(number, amount_minor, owner=owner, identifier_hash=identifier_hash, tenders=(paid,))
    (found,) = points_tenders(event, MILES.pricing)
    return found


async def settle(spending: Spending, *tenders: PointsTender) -> TenderReport:
    return await spending.do(lambda transaction: settle_tenders(transaction, tenders, MILES.pricing))


async def test_a_hold_names_its_type_and_takes_nothing_of_another(
    spending: Spending, client: httpx2.AsyncClient
) -> None:
    await spending.enrol(ANNA, 100)
    await give(spending, ANNA, 40)
    body: dict[str, Any] = {"member_id": str(ANNA), "points": 30, "point_type": "miles", "redemption_id": str(uuid4())}

    async def post(changes: dict[str, Any], key: str | None = None) -> httpx2.Response:
        headers = TILL | {"Idempotency-Key": key or uuid4().hex}
        return await client.post("/v1/redemptions", json=body | changes, headers=headers)

    held, again = await post({}, "till-1"), await post({}, "till-1")
    assert held.status_code == 201, held.text
    assert again.json() == held.json()
    assert (held.json()["point_type"], held.json()["exponent"], held.json()["balance"]["held"]) == ("miles", 2, 30)
    assert slug(await post({"point_type": "points"}, "till-1")) == (422, "idempotency-key-reused")
    assert slug(await post({"point_type": "points"})) == (409, "redemption-id-taken")
    more = await post({"redemption_id": None})
    assert (slug(more), more.json()["available"]) == ((409, "insufficient-points"), 10)

    url = f"/v1/redemptions/{held.json()['redemption_id']}"
    capture = {"receipt": till_receipt(1).model_dump(mode="json"), "points": 20}
    captured = (await client.post(f"{url}/capture", json=capture, headers=TILL | {"Idempotency-Key": "c"})).json()
    assert (captured["point_type"], captured["exponent"], captured["balance"]["available"]) == ("miles", 2, 20)
    assert (await client.get(url, headers=TILL)).json()["exponent"] == 2
    shown = (await client.get(f"/v1/members/{ANNA}/balance", headers=TILL)).json()["balances"]
    assert {one["point_type"]: (one["use"], one["exponent"], one["spendable"]) for one in shown} == {
        "points": ("spend", 0, 100),
        "miles": ("spend", 2, 20),
    }
    assert [one["points"] for one in shown[0]["usable"]] == [20]
    told = [event.data for event in await spending.drain() if isinstance(event, RedemptionHeld | RedemptionCaptured)]
    assert [(each.point_type, each.points) for each in told] == [("miles", 30), ("miles", 20)]
    lines = await client.get(
        f"/v1/members/{ANNA}/statement", params={"point_type": "miles"}, headers=bearing("balances:read")
    )
    assert [line["text"] for line in lines.json()["items"]][-1] == "Earned 0.40 miles at grocer"


async def test_a_receipt_is_priced_by_the_hold_that_paid_it_or_by_what_it_says(spending: Spending) -> None:
    await spending.enrol(ANNA, 1_000)
    await give(spending, ANNA, 100)
    held = await hold(spending, 30)
    assert isinstance(held, Held)

    named = tender(1, 150, held.redemption.redemption_id)
    await settle(spending, named, tender(2, 101, point_type="miles"), tender(3, 7))
    await settle(spending, named, tender(2, 101, point_type="miles"))

    # 150 and 101 cents at 5 a mile: 30 that were held, 21 late; seven points of the programme's own.
    assert await miles_of(spending, ANNA) == Balances(available=49)
    assert (await spending.balance(ANNA)).available == 993
    over = await settle(spending, tender(4, 500, point_type="miles"))
    assert over.uncovered_points == 51  # nothing of another type makes good for it
    assert (await spending.balance(ANNA)).available == 993


async def test_what_a_voided_receipt_had_taken_goes_back_type_by_type(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    await give(spending, ANNA, 40)
    for number, point_type in ((1, "miles"), (2, "points")):
        held = await hold(spending, 30, point_type)
        assert isinstance(held, Held)
        paid = tender(number, 100, held.redemption.redemption_id)
        await settle(spending, paid)
        await spending.void_receipts(void_of(paid.receipt_key, number))
    assert await miles_of(spending, ANNA) == Balances(available=40)
    assert (await spending.balance(ANNA)).available == 100


async def test_a_hold_that_comes_after_its_receipt_says_which_points_they_were(spending: Spending) -> None:
    await spending.enrol(ANNA, 1_000)
    await give(spending, ANNA, 100)
    redemption_id = new_id()
    waiting = tender(1, 200, redemption_id, owner=None, identifier_hash=CARD)
    assert (await settle(spending, waiting)).outcomes["waiting"] == 1

    assert isinstance(await hold(spending, 40, redemption_id=redemption_id), Paid)
    await spending.members(linked(ANNA, CARD))
    for _ in range(2):
        await settle(spending, *await spending.do(_ready))
    assert await miles_of(spending, ANNA) == Balances(available=60)
    assert (await spending.balance(ANNA)).available == 1_000


async def _ready(transaction: Transaction) -> list[PointsTender]:
    return await waiting_tenders.load_ready(transaction, 10)


async def test_what_is_owed_of_one_type_stops_no_other(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    await spending.enrol(BERT)
    await give(spending, BERT, 50)
    await move_in(spending, 1, Place(ANNA), Place(BERT))
    owed = ClawBack(ANNA, "miles", b"return", 10, TERMS, b"award")
    await spending.do(lambda transaction: ledger.post(transaction, [owed]))

    assert isinstance(await hold(spending, 60, "points"), Held)
    stopped = await hold(spending, 5)
    assert isinstance(stopped, Declined)
    assert stopped.decline.reason == "debt_outstanding"
    await give(spending, ANNA, 10)  # clears it
    pooled = await hold(spending, 50)
    assert isinstance(pooled, Held)
    assert (pooled.redemption.pooled_points, pooled.redemption.point_type) == (50, "miles")
    assert await miles_of(spending, BERT) == Balances(held=50)


async def test_holds_of_several_types_expire_in_one_page(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    await give(spending, ANNA, 40)
    for point_type in ("points", "miles"):
        assert isinstance(await hold(spending, 40, point_type), Held)
    async with spending.database.transaction() as transaction:
        await transaction.raw.execute("update redemptions set expires_at = $1", NOON - timedelta(days=1))
    assert await spending.expire(datetime.max.replace(tzinfo=NOON.tzinfo)) == 2
    assert await miles_of(spending, ANNA) == Balances(available=40)
    assert (await spending.balance(ANNA)).available == 100


async def test_points_of_every_type_stay_with_a_household_a_gift_each(spending: Spending) -> None:
    await spending.enrol(ANNA)
    await spending.enrol(BERT, 30)
    await give(spending, BERT, 20)
    await move_in(spending, 1, Place(ANNA), Place(BERT))
    await spending.drain()
    events: list[MemberEvent] = [await left_just_now(spending, 2, BERT, ANNA, ANNA), belongs(BERT, 200, None)]
    for _ in range(2):
        await spending.do(lambda transaction: take_in_members(transaction, events, TYPES.spent_codes))

    gifts = [event.data for event in await spending.drain() if isinstance(event, PointsGifted)]
    assert [(gift.point_type, gift.points) for gift in gifts] == [("points", 30), ("miles", 20)]
    assert len({gift.gift_id for gift in gifts}) == 2
    assert await miles_of(spending, ANNA) == Balances(available=20)


async def test_a_contract_says_which_types_its_partner_takes(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    await give(spending, ANNA, 40)
    await spending.coalition(contract(NOON - timedelta(days=400)))
    declined = await hold(spending, 10)
    assert isinstance(declined, Declined)
    assert declined.decline.reason == "type_not_in_contract"
    assert isinstance(await hold(spending, 10, "points"), Held)
    told = [event.data for event in await spending.drain() if isinstance(event, RedemptionDeclined)]
    assert [(each.point_type, each.reason) for each in told] == [("miles", "type_not_in_contract")]
