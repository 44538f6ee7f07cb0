"""Vouchers and redemptions reserve points under ids of their clients: one id stands for one of the two, for ever."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

import httpx2
import pytest

from services.redemption.use_cases.erase_members import erase_members
from shared.ids import new_id
from shared.ledger import Balances
from tests.support.member_events import erased
from tests.support.receipts import member
from tests.support.redemption import Admin, Spending, partner
from tests.support.registries import bearing
from tests.support.rewards import Catalogue, programme, slug

ANNA, BERT = member(1), member(2)


@pytest.fixture
async def catalogue(client: httpx2.AsyncClient, spending: Spending) -> Catalogue:
    await spending.coalition(partner("grocer", "Grocer"))
    await spending.enrol(ANNA, 1_000)
    await spending.enrol(BERT, 1_000)
    catalogue = Catalogue(client)
    await catalogue.offer()
    return catalogue


async def hold(catalogue: Catalogue, redemption_id: str, owner: UUID = BERT) -> httpx2.Response:
    headers = bearing("redemptions:write", client_id="g", partner_id="grocer")
    body = {"member_id": str(owner), "points": 50, "redemption_id": redemption_id}
    return await catalogue.client.post("/v1/redemptions", json=body, headers=headers)


async def test_an_id_stands_for_a_voucher_or_for_a_redemption(catalogue: Catalogue, spending: Spending) -> None:
    first, second = str(new_id()), str(new_id())
    assert (await hold(catalogue, first)).status_code == 201
    for owner in (ANNA, BERT):  # the redemption's own member, too
        assert slug(await catalogue.issue(owner, voucher_id=first)) == (409, "voucher-id-taken")
    await catalogue.issued(ANNA, voucher_id=second)
    for owner in (ANNA, BERT):
        assert slug(await hold(catalogue, second, owner)) == (409, "redemption-id-taken")
    assert await spending.balance(ANNA) == Balances(available=900, held=100)
    assert await spending.balance(BERT) == Balances(available=950, held=50)
    assert await spending.kinds() == ["Held", "RewardIssued"]


async def test_a_declined_holds_id_is_free_for_a_voucher_whose_lines_name_the_reward(
    catalogue: Catalogue, spending: Spending
) -> None:
    await spending.coalition(partner("fuel", "Fuel"))
    taken = str(new_id())
    body = {"member_id": str(ANNA), "points": 5_000, "redemption_id": taken}
    elsewhere = bearing("redemptions:write", client_id="f", partner_id="fuel")
    declined = await catalogue.client.post("/v1/redemptions", json=body, headers=elsewhere)
    assert slug(declined) == (409, "insufficient-points")
    await catalogue.issued(ANNA, voucher_id=taken)
    path = f"/v1/members/{ANNA}/statement"
    newest = (await catalogue.client.get(path, headers=bearing("balances:read"))).json()["items"][0]
    assert newest["text"] == "Reserved 100 points for a reward at Grocer"
    assert newest["redemption_id"] is None


async def test_of_both_at_once_one_gets_the_id(catalogue: Catalogue, spending: Spending) -> None:
    for _ in range(4):
        taken = str(new_id())
        issued, held = await asyncio.gather(catalogue.issue(ANNA, voucher_id=taken), hold(catalogue, taken))
        assert Counter((issued.status_code, held.status_code)) == {201: 1, 409: 1}, (issued.text, held.text)
        loser = issued if issued.status_code == 409 else held
        assert slug(loser)[1] in ("voucher-id-taken", "redemption-id-taken")
    kinds = Counter(await spending.kinds())
    assert kinds["Held"] + kinds["RewardIssued"] == 4


async def test_what_counts_no_more_is_not_delivered_whether_the_timer_has_been_by_or_not(
    catalogue: Catalogue, spending: Spending, admin: Admin
) -> None:
    voucher = await catalogue.issued(ANNA)
    await spending.advance(admin, timedelta(days=90))  # its last moment is over
    path = f"/v1/vouchers/{voucher['voucher_id']}"
    delivered = await catalogue.client.post(f"{path}/deliver", json={"channel": "app"}, headers=programme())
    assert slug(delivered) == (409, "voucher-expired")
    assert slug(await catalogue.client.get(f"{path}/code", headers=programme())) == (409, "voucher-expired")


async def test_the_code_of_whoever_was_erased_is_shown_to_nobody(catalogue: Catalogue, spending: Spending) -> None:
    voucher_id, key = str(new_id()), programme()
    issued = await catalogue.issued(ANNA, voucher_id=voucher_id, headers=key)
    await spending.do(lambda transaction: erase_members(transaction, [erased(ANNA).data]))
    for headers in (programme(), key):
        again = await catalogue.issue(ANNA, voucher_id=voucher_id, headers=headers)
        assert (slug(again), issued["code"] in again.text) == ((404, "unknown-voucher"), False)
    assert slug(await catalogue.issue(ANNA)) == (404, "unknown-member")
