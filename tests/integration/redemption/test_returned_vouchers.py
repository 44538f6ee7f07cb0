"""A voided receipt has used no voucher: its points and its piece go back once, whichever of the two is read first."""

import asyncio
from datetime import timedelta
from itertools import permutations
from typing import Any

import httpx2
import pytest

from services.redemption.consumer import PurchaseHandler
from services.redemption.domain.voiding import ReceiptVoid
from services.redemption.repository.receipts import Refusal
from services.redemption.use_cases.erase_members import erase_members
from services.redemption.use_cases.return_vouchers import return_vouchers
from services.redemption.use_cases.undo_refused import undo_refused
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseEvent
from shared.events.rewards import ReturnedRewardData, RewardReturned, RewardUsed
from shared.kafka import Batch, BatchSize
from shared.kafka.records import Record
from shared.ledger import Balances
from shared.receipt_key import encode_receipt_key, receipt_id_of
from tests.support import receipts
from tests.support.member_events import erased
from tests.support.receipts import member
from tests.support.redemption import (
    PROGRAMME,
    Admin,
    Spending,
    paid_with_points,
    partner,
    tender_of,
    till_receipt,
    void_of,
)
from tests.support.registries import bearing
from tests.support.rewards import COFFEE, Catalogue, programme, slug

ANNA = member(1)
FIRST = encode_receipt_key("grocer", till_receipt(1))


@pytest.fixture
async def catalogue(client: httpx2.AsyncClient, spending: Spending) -> Catalogue:
    await spending.coalition(partner("grocer", "Grocer"))
    await spending.enrol(ANNA, 1_000)
    return Catalogue(client)


async def use(catalogue: Catalogue, code: str, number: int = 1) -> httpx2.Response:
    body = {"code": code, "receipt": till_receipt(number).model_dump(mode="json")}
    headers = bearing("redemptions:write", client_id="g", partner_id="grocer")
    return await catalogue.client.post("/v1/vouchers:use", json=body, headers=headers)


async def void(spending: Spending, *voids: ReceiptVoid) -> int:
    """What the consumer does with voids, one transaction after the other; how many vouchers came back."""
    await spending.void_receipts(*voids)
    return await spending.do(lambda transaction: return_vouchers(transaction, voids, came_back_days=14))


async def returned(spending: Spending) -> list[ReturnedRewardData]:
    return [event.data for event in await spending.drain() if isinstance(event, RewardReturned)]


async def test_points_and_piece_go_back_once_and_it_is_told(catalogue: Catalogue, spending: Spending) -> None:
    await catalogue.offer(pieces=1, per_member_max=1)
    voucher = await catalogue.issued(ANNA)
    used = await use(catalogue, voucher["code"])
    assert used.status_code == 200, used.text
    [spent] = [event for event in await spending.drain() if isinstance(event, RewardUsed)]

    assert [await void(spending, void_of(FIRST, number)) for number in (1, 1, 2)] == [1, 0, 0]

    [told] = await returned(spending)
    assert (told.receipt_id, told.undone_by) == (receipt_id_of(FIRST), receipt_id_of(void_of(FIRST, 1).void_key))
    assert (told.points, told.balance.available, told.used_at) == (100, 1_000, spent.time)
    assert told.by_issuer == spent.data.by_issuer
    assert await spending.balance(ANNA) == Balances(available=1_000)
    assert await catalogue.left() == (1, 1)
    read = await catalogue.client.get(f"/v1/vouchers/{voucher['voucher_id']}", headers=programme())
    assert (read.json()["state"], read.json()["receipt_id"]) == ("returned", told.receipt_id)
    assert read.json()["returned_at"] > read.json()["closed_at"]
    statement = await catalogue.client.get(f"/v1/members/{ANNA}/statement", headers=bearing("balances:read"))
    words = "100 points spent for a reward at Grocer are given back: its receipt was voided"
    assert statement.json()["items"][0]["text"] == words
    for number in (1, 2):  # it is over, whichever receipt asks for it; another one may be had
        assert slug(await use(catalogue, voucher["code"], number)) == (409, "voucher-returned")
    assert slug(await catalogue.cancel(voucher["voucher_id"])) == (409, "voucher-returned")
    await catalogue.issued(ANNA)


@pytest.mark.parametrize("order", list(permutations(("use", "void", "other void"))))
async def test_in_whatever_order_use_and_voids_come(
    catalogue: Catalogue, spending: Spending, order: tuple[str, ...]
) -> None:
    """A void that comes first lets the receipt use nothing: the voucher is good for another one."""
    await catalogue.offer()
    code = (await catalogue.issued(ANNA))["code"]
    for _ in ("first", "again"):
        for step in order:
            if step == "use":
                await use(catalogue, code)
            else:
                await void(spending, void_of(FIRST, 1 if step == "void" else 2))
    if order[0] == "use":
        assert await spending.balance(ANNA) == Balances(available=1_000)
        assert len(await returned(spending)) == 1
    else:
        assert slug(await use(catalogue, code)) == (409, "receipt-voided")
        assert await spending.balance(ANNA) == Balances(available=900, held=100)
        assert (await use(catalogue, code, 2)).status_code == 200


async def test_use_and_void_at_once(catalogue: Catalogue, spending: Spending) -> None:
    await catalogue.offer()
    for number in range(1, 7):
        code = (await catalogue.issued(ANNA))["code"]
        receipt_key = encode_receipt_key("grocer", till_receipt(number))
        used, came_back = await asyncio.gather(
            use(catalogue, code, number), void(spending, void_of(receipt_key, number))
        )
        came_back += await void(spending, void_of(receipt_key, number))  # the void is read again
        assert (used.status_code, came_back) in ((200, 1), (409, 0))
        if used.status_code == 409:
            assert slug(used) == (409, "receipt-voided")
    balance = await spending.balance(ANNA)
    assert balance.available + balance.held == 1_000


async def test_a_reward_may_say_that_what_was_done_stays_done(catalogue: Catalogue, spending: Spending) -> None:
    await catalogue.offer("wash", comes_back="never")
    await catalogue.offer()
    washed, drunk = await catalogue.issued(ANNA, "wash"), await catalogue.issued(ANNA)
    for voucher in (washed, drunk):
        assert (await use(catalogue, voucher["code"])).status_code == 200
    assert await void(spending, void_of(FIRST)) == 1
    assert [told.reward_id for told in await returned(spending)] == [COFFEE]
    assert await spending.balance(ANNA) == Balances(available=900)


async def test_what_comes_back_late_or_to_nobody(catalogue: Catalogue, spending: Spending, admin: Admin) -> None:
    await catalogue.offer()
    code = (await catalogue.issued(ANNA))["code"]
    await use(catalogue, code)
    await spending.do(lambda transaction: erase_members(transaction, [erased(ANNA).data]))
    await spending.advance(admin, timedelta(days=400))
    assert await void(spending, void_of(FIRST)) == 1
    assert await spending.balance(ANNA) == Balances(available=1_000)  # of an id that is nobody's any more


@pytest.mark.parametrize("is_refused_first", [True, False])
async def test_a_void_that_does_not_count(catalogue: Catalogue, spending: Spending, *, is_refused_first: bool) -> None:
    """Refused before it is read it undoes nothing; afterwards a person is told."""
    await catalogue.offer()
    code = (await catalogue.issued(ANNA))["code"]
    await use(catalogue, code)
    wrong = void_of(FIRST)
    refusal = Refusal(wrong.void_key, wrong.content_hash)

    async def refuse() -> list[Any]:
        return list(await spending.do(lambda transaction: undo_refused(transaction, [refusal])))

    if is_refused_first:
        assert (await refuse(), await void(spending, wrong)) == ([], 0)
    else:
        assert (await void(spending, wrong), await refuse(), await refuse()) == (1, ["refused_void"], [])
        assert await spending.exceptions() == [("refused_void", 100, 0)]


async def test_a_void_that_meant_another_receipt_is_told_when_that_is_read(
    catalogue: Catalogue, spending: Spending
) -> None:
    await catalogue.offer()
    await use(catalogue, (await catalogue.issued(ANNA))["code"])
    assert await void(spending, void_of(FIRST, 1, 399)) == 1
    tender = tender_of(paid_with_points(1, 400, None, owner=ANNA))
    assert (await spending.settle(tender)).exceptions == ("void_of_other_total",)
    assert (await spending.settle(tender)).exceptions == ()


async def test_from_the_topic(catalogue: Catalogue, spending: Spending) -> None:
    await catalogue.offer()
    await use(catalogue, (await catalogue.issued(ANNA))["code"])
    voided = receipts.void_of(receipts.purchase(1, 900, owner=ANNA), 99)
    handler = PurchaseHandler(spending.database, PROGRAMME, BatchSize(200))
    record: Record[PurchaseEvent] = Record(voided, PURCHASES.topic, 0, 0, None, voided.to_bytes(), {})
    for _ in range(2):
        await handler.handle(Batch((record,), ()))
    assert await spending.balance(ANNA) == Balances(available=1_000)
    assert len(await returned(spending)) == 1
