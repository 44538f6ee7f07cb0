"""A till's one call: what is there is answered, what is not is named, and the sale goes on whatever happens."""

import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from services.redemption.gateways.basket_previews import BasketPreviews
from services.redemption.gateways.circuit import FAILURES_IN_A_ROW_MAX
from services.redemption.gateways.member_names import MemberNames
from services.redemption.schemas.checkouts import CheckoutBody
from services.redemption.use_cases.check_out import CheckoutDesk, Sale
from services.redemption.use_cases.hold_points import Spender
from services.redemption.use_cases.quote_points import Asked
from shared.events.coalition import TillChanged, TillData
from shared.ids import new_id
from shared.web import till_key_sha256
from shared.web.access_tokens import AccessToken
from tests.support.checkouts import BLOCKED, CARD, PHONE, absent, check_out, enrol_anna
from tests.support.databases import FreshDatabase
from tests.support.neighbour_host import EARNS, NAME, NeighbourHost
from tests.support.privileges import applied, declared, terms
from tests.support.qr import QR_KEYS, qr_token
from tests.support.redemption import NOON, Admin, Spending
from tests.support.redemption_service import redemption_service
from tests.support.registries import bearing

PROBLEM = "https://tessera.invalid/problems/"


@pytest.fixture(scope="module")
async def till(own_database: FreshDatabase, neighbour_host: NeighbourHost) -> AsyncIterator[httpx2.AsyncClient]:
    async with redemption_service(
        own_database,
        "api",
        accrual_url=neighbour_host.url,
        members_url=neighbour_host.url,
        token_url=f"{neighbour_host.url}/oauth/token",
        checkout_part_ms_max=1_000,
        qr_keys=QR_KEYS,
    ) as client:
        yield client


@pytest.fixture
async def anna(spending: Spending) -> UUID:
    return await enrol_anna(spending)


async def test_a_till_is_answered_all_in_one(till: httpx2.AsyncClient, anna: UUID, neighbours: NeighbourHost) -> None:
    told = await check_out(till, coupons=["SPRING"])
    assert told["absent"] == []
    assert told["member"] == {"member_id": str(anna), "tier": "gold"}
    assert told["name"] == NAME
    assert (told["earn"]["points"], told["earn"]["parts"][0]["expires_on"]) == (12, "2027-12-31")
    assert (told["spend"]["points"], told["spend"]["value_minor"]) == (700, 700)
    assert (told["privileges"]["privileges"], told["privileges"]["amount_minor"]) == ([], 0)
    assert told["message"] == "You will earn 12 points. 700 points may pay up to 7.00 USD."
    [basket] = neighbours.baskets
    assert (basket["partner_id"], basket["store_id"], basket["till_id"]) == ("grocer", "s1", "1")
    assert basket["identifier"] == {"type": "card", "value": CARD, "entry_method": "scanned"}
    assert (basket["currency"], basket["coupons"], basket["lines"][0]["sku"]) == ("USD", ["SPRING"], "a")
    assert neighbours.shown_to == ["g"]


@pytest.mark.usefixtures("neighbours", "anna")
async def test_the_session_that_it_opens_is_the_quotes_and_the_holds(till: httpx2.AsyncClient) -> None:
    told = await check_out(till)
    session_id, quote = told["session_id"], told["spend"]
    assert quote["session_id"] == session_id
    again = await check_out(till, session_id=session_id)
    assert again["session_id"] == again["spend"]["session_id"] == session_id
    hold = {"identifier": {"type": "card", "value": CARD}, "points": 300, "quote_id": quote["quote_id"]}
    headers = bearing("redemptions:write", client_id="g", partner_id="grocer")
    held = (await till.post("/v1/redemptions", json=hold, headers=headers)).json()
    assert (held["session_id"], held["value_minor"]) == (session_id, 300)


async def test_a_qr_tokens_session_goes_on(
    till: httpx2.AsyncClient, spending: Spending, anna: UUID, neighbours: NeighbourHost
) -> None:
    session_id = uuid4()
    token = {"type": "token", "value": qr_token(anna, await spending.now(), session_id)}
    told = await check_out(till, token)
    assert (told["session_id"], told["spend"]["session_id"]) == (str(session_id), str(session_id))
    other = absent(await check_out(till, token, session_id=str(uuid4())))
    assert (other["member"], other["spend"]) == ("other-session", "other-session")
    late = {"type": "token", "value": qr_token(anna, NOON, session_id)}
    assert absent(await check_out(till, late))["spend"] == "qr-token-not-valid"
    assert len(neighbours.baskets) == 3


@pytest.mark.usefixtures("anna")
async def test_a_card_that_nobody_knows_is_named_and_what_it_would_earn_is_told(
    till: httpx2.AsyncClient, neighbours: NeighbourHost
) -> None:
    neighbours.earn = (200, {"status": "parked", "reason": "unknown_identifier"})
    told = await check_out(till, {"type": "card", "value": "9999"})
    assert absent(told) == dict.fromkeys(("member", "name", "privileges", "spend"), "unknown-member")
    assert (told["earn"]["status"], told["earn"]["reason"]) == ("parked", "unknown_identifier")
    assert told["message"] == "Register this card: then this purchase earns, too."
    assert neighbours.shown_to == []


@pytest.mark.usefixtures("anna")
async def test_what_may_not_be_shown_or_spent_says_why(till: httpx2.AsyncClient, neighbours: NeighbourHost) -> None:
    blocked = absent(await check_out(till, {"type": "card", "value": BLOCKED}))
    assert blocked == dict.fromkeys(("member", "name", "privileges", "spend"), "identifier-blocked")
    keyed = absent(await check_out(till, {"type": "phone", "value": PHONE, "entry_method": "keyed"}))
    assert (keyed["name"], keyed["spend"]) == ("identifier-may-not-see-balance", "identifier-may-not-spend")
    assert neighbours.shown_to == []  # nobody learns by a phone number whose it is


@pytest.mark.usefixtures("anna")
async def test_without_the_scope_nobody_is_asked_for_a_name(
    till: httpx2.AsyncClient, neighbours: NeighbourHost
) -> None:
    told = await check_out(till, greets=False)
    assert (absent(told), neighbours.shown_to) == ({"name": "missing-scope"}, [])


async def test_what_is_earned_and_spent_is_of_what_privileges_leave(
    spending: Spending, anna: UUID, neighbours: NeighbourHost
) -> None:
    programme = await declared(spending, terms("tenth"))
    body = CheckoutBody.model_validate(
        {
            "identifier": {"type": "card", "value": CARD},
            "lines": [{"line_id": 1, "sku": "a", "amount_minor": 700, "discount_minor": 30}],
        }
    )
    asked = Asked("grocer", [line.line() for line in body.lines], [None])
    sale = Sale(Spender(anna), asked, body.for_accrual("grocer", "s1", "1", "USD"), "g", shows_name=False)
    async with httpx2.AsyncClient() as calls:
        token = AccessToken(calls, f"{neighbours.url}/oauth/token", "redemption", "secret")
        desk = CheckoutDesk(
            database=spending.database,
            programme=programme,
            baskets=BasketPreviews(calls, neighbours.url, token),
            names=MemberNames(calls, neighbours.url, token),
            language="en",
            quote_valid_for=timedelta(minutes=15),
            part_seconds_max=1.0,
        )
        found = await desk.check_out(sale)
    assert found.privileges is not None
    assert applied(found.privileges) == {"tenth": 70}
    assert found.spend is not None
    assert (found.spend.quote.points, found.spend.quote.value_minor) == (630, 630)
    [line] = neighbours.baskets[0]["lines"]
    assert (line["amount_minor"], line["discount_minor"]) == (630, 100)
    assert found.message == "You save 0.70 USD. You will earn 12 points. 630 points may pay up to 6.30 USD."


async def test_a_member_who_may_not_spend_is_greeted_and_earns(
    till: httpx2.AsyncClient, spending: Spending, anna: UUID, neighbours: NeighbourHost
) -> None:
    await spending.enrol(anna, status="earn_only", version=2)
    neighbours.earn = (200, EARNS | {"points": 1})
    told = await check_out(till)
    assert (absent(told), told["name"]) == ({"spend": "member-earn-only"}, NAME)
    assert told["message"] == "You will earn 1 point."
    await spending.enrol(anna, status="closed", version=3)
    gone = absent(await check_out(till))
    assert gone == dict.fromkeys(("member", "name", "privileges", "spend"), "member-closed")


@pytest.mark.usefixtures("anna")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((422, {"type": f"{PROBLEM}invalid-request"}), "invalid-request"),
        ((403, {"type": f"{PROBLEM}partner-not-open"}), "partner-not-open"),
        ((403, {"type": f"{PROBLEM}missing-scope"}), "failed"),
        ((500, {"type": "about:blank"}), "failed"),
        ((200, {"points": 3}), "failed"),
    ],
)
async def test_when_accrual_refuses_or_fails_the_rest_is_answered(
    till: httpx2.AsyncClient, neighbours: NeighbourHost, answer: tuple[int, dict[str, Any]], reason: str
) -> None:
    neighbours.earn = answer
    told = await check_out(till)
    assert absent(told) == {"earn": reason}
    assert told["message"] == "700 points may pay up to 7.00 USD."


@pytest.mark.usefixtures("anna")
async def test_when_the_registry_fails_the_cashier_greets_without_a_name(
    till: httpx2.AsyncClient, neighbours: NeighbourHost
) -> None:
    for status, reason in ((500, "failed"), (403, "failed"), (404, "unknown-member")):
        neighbours.name = (status, {})
        assert absent(await check_out(till)) == {"name": reason}


@pytest.mark.usefixtures("anna")
async def test_parts_that_are_late_are_left_out(
    till: httpx2.AsyncClient, neighbours: NeighbourHost, admin: Admin
) -> None:
    """Two neighbours are silent, and nobody may write a quote: what is left is told."""
    neighbours.silent = frozenset({"earn", "name"})
    async with admin.transaction():
        await admin.execute("lock table redemption.redemption_quotes in exclusive mode")
        told = await check_out(till)
    assert absent(told) == dict.fromkeys(("earn", "name", "spend"), "late") | {"message": "nothing-to-tell"}
    assert told["member"]["tier"] == "gold"
    neighbours.silent = frozenset()
    assert (await check_out(till))["absent"] == []


@pytest.mark.usefixtures("spending")
async def test_while_a_neighbour_is_away_nobody_waits_for_it(
    own_database: FreshDatabase, neighbours: NeighbourHost
) -> None:
    """Nobody listens where accrual should be; the circuit opens, and the metric says so."""
    async with redemption_service(
        own_database,
        "api",
        accrual_url="http://127.0.0.1:1",
        members_url=neighbours.url,
        token_url=f"{neighbours.url}/oauth/token",
    ) as client:
        for _ in range(FAILURES_IN_A_ROW_MAX + 1):
            assert absent(await check_out(client))["earn"] == "away"
        metrics = (await client.get("/metrics")).text
    assert 'tessera_redemption_neighbours_away{neighbour="accrual"} 1.0' in metrics


async def test_a_till_with_its_own_key_need_not_say_where_it_stands(
    till: httpx2.AsyncClient, spending: Spending, anna: UUID, neighbours: NeighbourHost
) -> None:
    key = f"tk_{secrets.token_urlsafe(32)}"
    data = TillData(
        partner_id="grocer",
        store_id="s7",
        till_id="3",
        version=1,
        key_scheme="sequence",
        key_sha256=till_key_sha256(key),
    )
    await spending.coalition(TillChanged(id=new_id(), source="test", subject="3", time=NOON, data=data))
    body = {"identifier": {"type": "card", "value": CARD}, "lines": [{"line_id": 1, "sku": "a", "amount_minor": 700}]}
    headers = {"Authorization": f"Bearer {key}"}
    told = (await till.post("/v1/checkouts", json=body, headers=headers)).json()
    assert (told["member"]["member_id"], absent(told)) == (str(anna), {"name": "missing-scope"})
    [basket] = neighbours.baskets
    assert (basket["partner_id"], basket["store_id"], basket["till_id"]) == ("grocer", "s7", "3")
    elsewhere = await till.post("/v1/checkouts", json=body | {"till_id": "4"}, headers=headers)
    assert elsewhere.json()["errors"][0]["pointer"] == "/till_id"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"currency": "EUR"}, "/currency"),
        ({"till_id": None}, "/till_id"),
        ({"store_id": None}, "/store_id"),
        ({"partner_id": "fuel"}, "/partner_id"),
        ({"lines": []}, "/lines"),
        ({"lines": [{"line_id": 1, "amount_minor": 700}]}, "/lines/0/sku"),
        ({"identifier": {"type": "phone", "value": "none"}}, "/identifier/value"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_its_field(
    till: httpx2.AsyncClient, change: dict[str, Any], pointer: str
) -> None:
    body = {
        "identifier": {"type": "card", "value": CARD},
        "store_id": "s1",
        "till_id": "1",
        "lines": [{"line_id": 1, "sku": "a", "amount_minor": 700}],
    }
    headers = bearing("redemptions:write", client_id="g", partner_id="grocer")
    answer = await till.post("/v1/checkouts", json=body | change, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
    reading = await till.post("/v1/checkouts", json=body, headers=bearing("redemptions:read"))
    assert reading.status_code == 403


async def test_the_quote_is_all_that_stays(
    till: httpx2.AsyncClient, anna: UUID, admin: Admin, spending: Spending, neighbours: NeighbourHost
) -> None:
    del neighbours
    told = await check_out(till)
    kept = await admin.fetchval("select row_to_json(redemption_quotes)::text from redemption.redemption_quotes")
    assert told["spend"]["quote_id"] in kept
    assert NAME["given_name"] not in kept
    assert (await spending.balance(anna)).held == 0
    assert await spending.drain() == []
