"""Rewards that are reserved until they are paid, and codes that partners bring: given once each."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from services.redemption.use_cases.close_vouchers import expire_vouchers
from shared.database import Database
from shared.events.rewards import RewardCancelled, RewardExpired
from shared.ledger import Balances
from tests.support.receipts import member
from tests.support.redemption import Admin, Spending, partner
from tests.support.registries import bearing
from tests.support.rewards import COFFEE, Catalogue, programme, slug

ANNA, BERT = member(1), member(2)
RESERVED = timedelta(seconds=900)
CODES = [f"SPRING-{number:04}" for number in range(10)]


@pytest.fixture
async def catalogue(client: httpx2.AsyncClient, spending: Spending) -> Catalogue:
    await spending.coalition(partner("grocer", "Grocer"))
    await spending.enrol(ANNA, 1_000)
    return Catalogue(client)


async def confirm(catalogue: Catalogue, voucher_id: str, paid_minor: int, **headers: str) -> httpx2.Response:
    return await catalogue.client.post(
        f"/v1/vouchers/{voucher_id}/confirm", json={"paid_minor": paid_minor}, headers=headers or programme()
    )


async def bring(catalogue: Catalogue, codes: list[str], reward_id: str = COFFEE, **headers: str) -> httpx2.Response:
    return await catalogue.client.post(
        f"/v1/rewards/{reward_id}/codes:import", json={"codes": codes}, headers=headers or programme()
    )


async def use(catalogue: Catalogue, code: str) -> httpx2.Response:
    receipt = {"scheme": "document", "source": "shop", "number": "1"}
    return await catalogue.client.post(
        "/v1/vouchers:use",
        json={"code": code, "receipt": receipt},
        headers=bearing("redemptions:write", client_id="g", partner_id="grocer"),
    )


async def test_a_reward_that_costs_money_is_reserved_until_it_is_paid(
    catalogue: Catalogue, spending: Spending, admin: Admin
) -> None:
    await catalogue.offer(pieces=1, money_minor=250)
    reserved = await catalogue.issued(ANNA)
    voucher_id = reserved["voucher_id"]
    assert (reserved["state"], reserved["code"], reserved["balance"]["held"]) == ("reserved", None, 100)
    code = await catalogue.client.get(f"/v1/vouchers/{voucher_id}/code", headers=programme())
    assert slug(code) == (409, "voucher-reserved")
    assert slug(await confirm(catalogue, voucher_id, 249)) == (409, "other-amount")
    await spending.advance(admin, RESERVED)  # too late, but nobody has let it go
    headers = programme()
    confirmed = await confirm(catalogue, voucher_id, 250, **headers)
    assert (confirmed.json()["state"], confirmed.json()["paid_minor"]) == ("issued", 250)
    again = [await confirm(catalogue, voucher_id, 250, **headers), await confirm(catalogue, voucher_id, 250)]
    assert [answer.json() for answer in again] == [confirmed.json()] * 2
    assert (await use(catalogue, confirmed.json()["code"])).status_code == 200
    assert await spending.kinds() == ["RewardReserved", "RewardIssued", "RewardUsed"]


async def test_nobody_pays_for_what_counts_no_more(catalogue: Catalogue, spending: Spending, admin: Admin) -> None:
    """The reward's last day comes while the voucher is reserved: it is not issued, and the reservation lapses."""
    until = await spending.now() + RESERVED / 2
    await catalogue.offer(pieces=1, money_minor=250, valid_until=until.isoformat())
    voucher_id = (await catalogue.issued(ANNA))["voucher_id"]
    await spending.advance(admin, RESERVED / 2)
    assert slug(await confirm(catalogue, voucher_id, 250)) == (409, "voucher-expired")
    assert (await catalogue.cancel(voucher_id)).json()["state"] == "cancelled"
    assert await spending.balance(ANNA) == Balances(available=1_000)


async def test_a_reservation_lapses_and_everything_goes_back(
    catalogue: Catalogue, spending: Spending, as_service: Database, admin: Admin
) -> None:
    await catalogue.offer(pieces=2)
    kept, paid = await catalogue.issued(ANNA, reserve=True), await catalogue.issued(ANNA, reserve=True)
    await confirm(catalogue, paid["voucher_id"], 0)
    await spending.advance(admin, RESERVED)
    assert await as_service.run(expire_vouchers) == 1
    assert await catalogue.left() == (2, 1)
    assert await spending.balance(ANNA) == Balances(available=900, held=100)
    assert slug(await confirm(catalogue, kept["voucher_id"], 0)) == (409, "voucher-expired")
    [event] = [event for event in await spending.drain() if isinstance(event, RewardExpired)]
    assert (event.data.reason, event.data.paid_minor) == ("reservation_lapsed", 0)


async def test_what_was_paid_is_told_when_it_is_cancelled(catalogue: Catalogue, spending: Spending) -> None:
    await catalogue.offer(money_minor=250)
    for paid_minor in (250, 0):
        voucher_id = (await catalogue.issued(ANNA))["voucher_id"]
        if paid_minor:
            await confirm(catalogue, voucher_id, paid_minor)
        await catalogue.cancel(voucher_id)
        [event] = [event for event in await spending.drain() if isinstance(event, RewardCancelled)]
        assert (event.data.points, event.data.paid_minor) == (100, paid_minor)


async def test_of_confirming_and_expiry_one_wins(
    catalogue: Catalogue, spending: Spending, as_service: Database, admin: Admin
) -> None:
    await catalogue.offer(pieces=4)
    kept = [await catalogue.issued(ANNA, reserve=True) for _ in range(4)]
    await spending.advance(admin, RESERVED)
    expiry = asyncio.create_task(as_service.run(expire_vouchers))
    confirmed = await asyncio.gather(*(confirm(catalogue, each["voucher_id"], 0) for each in kept))
    expired = await expiry
    outcomes = Counter(answer.status_code for answer in confirmed)
    assert outcomes[200] + expired == 4
    assert await catalogue.left() == (4, expired)
    assert await spending.balance(ANNA) == Balances(available=1_000 - 100 * outcomes[200], held=100 * outcomes[200])


async def test_codes_that_a_partner_brings_are_given_once_each(
    catalogue: Catalogue, spending: Spending, admin: Admin
) -> None:
    await catalogue.offer(supply="imported", points=1)
    await catalogue.offer("tea", supply="imported", points=1)
    headers = programme()
    brought = await bring(catalogue, [*CODES, "spring 0003"], **headers)
    assert brought.json() == {"reward_id": COFFEE, "added": 10, "left": 10, "changed": 10}
    assert (await bring(catalogue, [*CODES, "spring 0003"], **headers)).content == brought.content
    assert (await bring(catalogue, CODES)).json()["changed"] == 0
    assert (await bring(catalogue, CODES, "tea")).json()["changed"] == 0
    await spending.enrol(BERT, 1_000)
    answers = await asyncio.gather(*(catalogue.issue(one) for one in (ANNA, BERT) for _ in range(8)))
    given = [answer.json()["code"] for answer in answers if answer.status_code == 201]
    assert sorted(given) == [code.replace("-", "") for code in CODES]
    assert {slug(answer) for answer in answers if answer.status_code != 201} == {(409, "sold-out")}
    assert (await bring(catalogue, CODES, "tea")).json()["changed"] == 0
    assert (await use(catalogue, "spring-0003")).status_code == 200
    kept = await admin.fetch("select * from redemption.redemption_vouchers")
    kept += await admin.fetch("select * from redemption.idempotency")
    assert "SPRING" not in str([tuple(row) for row in kept])


async def test_a_brought_code_comes_back_only_if_nobody_saw_it(
    catalogue: Catalogue, spending: Spending, as_service: Database, admin: Admin
) -> None:
    await catalogue.offer(supply="imported")
    await bring(catalogue, CODES[:1])
    await catalogue.issued(ANNA, reserve=True)
    await spending.advance(admin, RESERVED)
    await as_service.run(expire_vouchers)
    assert await catalogue.left() == (1, 1)
    voucher = await catalogue.issued(ANNA)
    assert voucher["code"] == CODES[0].replace("-", "")
    await catalogue.cancel(voucher["voucher_id"])
    assert await catalogue.left() == (1, 0)
    assert slug(await use(catalogue, CODES[0])) == (409, "voucher-cancelled")


@pytest.mark.parametrize("codes", [[], ["short"], ["SPRING_2026"], ["--------"], ["X" * 65]])
async def test_codes_that_are_none_are_refused(catalogue: Catalogue, codes: list[Any]) -> None:
    await catalogue.offer(supply="imported")
    assert (await bring(catalogue, codes)).status_code == 422


async def test_codes_are_brought_for_rewards_that_have_such(catalogue: Catalogue) -> None:
    await catalogue.offer()
    assert slug(await bring(catalogue, CODES)) == (409, "codes-not-imported")
    assert slug(await bring(catalogue, CODES, "nothing")) == (404, "unknown-reward")
