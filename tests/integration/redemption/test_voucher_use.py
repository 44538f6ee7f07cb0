"""Vouchers at tills: used once, at their partner, for one receipt; and what tells them from what they are not."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from services.redemption.use_cases.close_vouchers import expire_vouchers
from shared.database import Database
from shared.events.rewards import RewardUsed
from shared.ids import new_id
from shared.ledger import Balances
from tests.support.receipts import member
from tests.support.redemption import Admin, Spending, partner
from tests.support.registries import bearing
from tests.support.rewards import COFFEE, Catalogue, programme, slug

ANNA = member(1)
RECEIPT = {
    "scheme": "sequence",
    "store_id": "s1",
    "till_id": "1",
    "business_date": "2026-11-01",
    "shift": 1,
    "number": 1,
}


@pytest.fixture
async def catalogue(client: httpx2.AsyncClient, spending: Spending) -> Catalogue:
    await spending.coalition(partner("grocer", "Grocer"), partner("fuel", "Fuel"))
    await spending.enrol(ANNA, 1_000)
    return Catalogue(client)


def grocer() -> dict[str, str]:
    return bearing("redemptions:write", client_id="g", partner_id="grocer")


async def use(catalogue: Catalogue, code: str, number: int = 1, **others: Any) -> httpx2.Response:
    headers = others.pop("headers", None) or grocer()
    body = {"code": code, "receipt": RECEIPT | {"number": number}} | others
    return await catalogue.client.post("/v1/vouchers:use", json=body, headers=headers)


async def check(catalogue: Catalogue, code: str, **others: Any) -> httpx2.Response:
    headers = others.pop("headers", None) or grocer()
    return await catalogue.client.post("/v1/vouchers:check", json={"code": code} | others, headers=headers)


async def test_a_till_takes_a_voucher_and_its_points_are_spent(catalogue: Catalogue, spending: Spending) -> None:
    await catalogue.offer(pieces=1, cost_minor=180)
    voucher = await catalogue.issued(ANNA)
    delivered = await catalogue.client.post(
        f"/v1/vouchers/{voucher['voucher_id']}/deliver", json={"channel": "app"}, headers=programme()
    )
    assert (delivered.json()["state"], delivered.json()["closed_at"]) == ("delivered", None)
    typed = voucher["code"].lower().replace("-", " ")
    checked = await check(catalogue, typed)
    assert (checked.json()["titles"], checked.json()["state"]) == ({"en": "A large coffee"}, "delivered")
    assert await spending.balance(ANNA) == Balances(available=900, held=100)

    used = await use(catalogue, typed)
    assert used.status_code == 200, used.text
    assert (used.json()["state"], used.json()["points"]) == ("used", 100)
    assert await spending.balance(ANNA) == Balances(available=900)
    assert await catalogue.left() == (1, 0)
    statement = await catalogue.client.get(f"/v1/members/{ANNA}/statement", headers=bearing("balances:read"))
    assert statement.json()["items"][0]["text"] == "Spent 100 points for a reward at Grocer, reserved before"
    assert statement.json()["items"][0]["receipt_id"] == used.json()["receipt_id"]
    events = await spending.drain()
    assert [type(event).__name__ for event in events] == ["RewardIssued", "RewardDelivered", "RewardUsed"]
    [event] = [event for event in events if isinstance(event, RewardUsed)]
    assert (event.data.points, event.data.partner_id, event.data.cost_minor) == (100, "grocer", 180)
    assert [(each.issuer, each.points) for each in event.data.by_issuer] == [("grocer", 100)]


async def test_a_voucher_is_used_once_however_many_tills_ask_at_once(catalogue: Catalogue, spending: Spending) -> None:
    await catalogue.offer()
    code = (await catalogue.issued(ANNA))["code"]
    answers = await asyncio.gather(*(use(catalogue, code, number) for number in range(1, 9)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
    assert {slug(answer)[1] for answer in answers if answer.status_code == 409} == {"voucher-used"}
    [first] = [answer for answer in answers if answer.status_code == 200]
    number = answers.index(first) + 1
    again = await use(catalogue, code, number)
    assert (again.status_code, again.json()) == (200, first.json())
    assert slug(await check(catalogue, code)) == (409, "voucher-used")
    assert await spending.balance(ANNA) == Balances(available=900)
    assert (await spending.kinds()).count("RewardUsed") == 1


async def test_a_retry_of_a_till_gets_the_first_answer(catalogue: Catalogue, admin: Admin) -> None:
    await catalogue.offer()
    code, headers = (await catalogue.issued(ANNA))["code"], grocer()
    first = await use(catalogue, code, headers=headers)
    again = await use(catalogue, code, headers=headers)
    assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")
    assert slug(await use(catalogue, code, 2, headers=headers)) == (422, "idempotency-key-reused")
    kept = await admin.fetch("select * from redemption.idempotency")
    assert code.replace("-", "") not in str([tuple(row) for row in kept])


async def test_of_use_cancelling_and_expiry_one_wins(
    catalogue: Catalogue, spending: Spending, as_service: Database, admin: Admin
) -> None:
    await catalogue.offer(pieces=6, valid_days=1)
    for _ in range(6):
        voucher = await catalogue.issued(ANNA)
        used, cancelled = await asyncio.gather(use(catalogue, voucher["code"]), catalogue.cancel(voucher["voucher_id"]))
        assert sorted([used.status_code, cancelled.status_code]) == [200, 409]
        loser = cancelled if used.status_code == 200 else used
        assert slug(loser)[1] in ("voucher-used", "voucher-cancelled")
    spent = (await spending.kinds()).count("RewardUsed")
    assert await spending.balance(ANNA) == Balances(available=1_000 - 100 * spent)
    assert await catalogue.left() == (6, 6 - spent)

    code = (await catalogue.issued(ANNA))["code"] if spent < 6 else None
    await spending.advance(admin, timedelta(days=1))
    if code is not None:
        assert slug(await use(catalogue, code)) == (409, "voucher-expired")
        assert await as_service.run(expire_vouchers) == 1
        assert slug(await use(catalogue, code)) == (409, "voucher-expired")
    assert await spending.balance(ANNA) == Balances(available=1_000 - 100 * spent)


async def test_what_is_no_voucher_here_is_told_by_name(catalogue: Catalogue, spending: Spending) -> None:
    await catalogue.offer("fuel-only", partner_id="fuel")
    await catalogue.offer("here-only", stores=["s7"])
    await catalogue.offer()
    other, here, own = [(await catalogue.issued(ANNA, one))["code"] for one in ("fuel-only", "here-only", COFFEE)]
    wrong = ("1" if own[0] != "1" else "2") + own[1:]
    for ask in (use, check):
        assert slug(await ask(catalogue, wrong)) == (404, "voucher-code-mistyped")
        assert slug(await ask(catalogue, "SPRING-2026")) == (404, "unknown-voucher")
        assert slug(await ask(catalogue, other)) == (409, "other-partners-voucher")
        assert slug(await ask(catalogue, here)) == (409, "other-stores-voucher")
        assert slug(await ask(catalogue, here, store_id="s1")) == (409, "other-stores-voucher")
        missing = await ask(catalogue, own, headers=bearing("redemptions:write", client_id="hq"))
        assert missing.status_code == 422
    assert (await use(catalogue, here, store_id="s7")).status_code == 200
    assert await spending.balance(ANNA) == Balances(available=700, held=200)


async def test_what_was_used_or_closed_is_not_delivered(catalogue: Catalogue) -> None:
    await catalogue.offer()
    used, cancelled = await catalogue.issued(ANNA), await catalogue.issued(ANNA)
    await use(catalogue, used["code"])
    await catalogue.cancel(cancelled["voucher_id"])
    for voucher, name in ((used, "voucher-used"), (cancelled, "voucher-cancelled")):
        told = await catalogue.client.post(
            f"/v1/vouchers/{voucher['voucher_id']}/deliver", json={"channel": "app"}, headers=programme()
        )
        assert slug(told) == (409, name)
    assert slug(await catalogue.cancel(used["voucher_id"])) == (409, "voucher-used")
    nobody = await catalogue.client.post(
        f"/v1/vouchers/{new_id()}/deliver", json={"channel": "app"}, headers=programme()
    )
    assert slug(nobody) == (404, "unknown-voucher")
