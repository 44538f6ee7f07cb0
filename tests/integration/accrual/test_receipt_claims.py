"""Receipts without a card are claimed later: once, whoever comes at the same time, and decided like any other."""

import asyncio
from itertools import count
from typing import Any
from uuid import UUID

import httpx2

from services.accrual.use_cases.apply_fraud_holds import apply_fraud_holds, end_due_holds, hold_of
from shared.events.fraud import ClaimCleared, ClaimClearedData
from shared.events.points import PointsEarned, PointsPending, ReceiptRefused
from shared.events.purchases import PurchaseRecorded
from shared.ids import new_id
from shared.ledger import Balances
from tests.support.accrual import Accrual
from tests.support.accrual_members import new_member
from tests.support.adjusting import Client, slug
from tests.support.databases import FreshDatabase
from tests.support.earning_in_parts import hold, release
from tests.support.ledger_database import verified
from tests.support.member_events import status_changed
from tests.support.receipts import NOON, card, enrolled, linked, merged_into, purchase, return_of
from tests.support.registries import bearing

DAY = "2026-11-01"
_numbers = count(1)


async def came(accrual: Accrual, **said: Any) -> PurchaseRecorded:
    """A receipt of 10.00 that names nobody."""
    event = purchase(next(_numbers), 1000, **said)
    await accrual.award(event)
    return event


async def claim(
    client: Client, receipt: PurchaseRecorded | str, member_id: UUID, *, by: str = "support", **said: Any
) -> httpx2.Response:
    receipt_id = receipt if isinstance(receipt, str) else receipt.data.receipt_id
    body = {"member_id": str(member_id), "total_minor": 1000, "bought_on": DAY} | said
    return await client.post(
        f"/v1/receipts/{receipt_id}:claim", json=body, headers=bearing("receipts:claim", client_id=by)
    )


async def fraud_clears(accrual: Accrual, *receipts: PurchaseRecorded) -> None:
    """Fraud has looked at claims, and has nothing against them."""
    data = [ClaimClearedData(member_id=new_member(), receipt_id=each.data.receipt_id) for each in receipts]
    cleared = [ClaimCleared(id=new_id(), source="fraud", subject="x", time=NOON, data=each) for each in data]
    async with accrual.database.transaction() as transaction:
        await apply_fraud_holds(transaction, [hold_of(event) for event in cleared])


async def state_of(client: Client, receipt: PurchaseRecorded) -> dict[str, Any]:
    url = f"/v1/receipts/{receipt.data.receipt_id}"
    found: dict[str, Any] = (await client.get(url, headers=bearing("receipts:read"))).json()
    return found


async def test_it_waits_and_earns_nothing_until_somebody_claims_it(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    receipt = await came(module_accrual)
    assert (await state_of(client, receipt))["waits_because"] == "no_identifier"

    answer, again = await claim(client, receipt, anna), await claim(client, receipt, anna, by="app")

    assert answer.status_code == 202, answer.text
    assert again.json() == answer.json()
    (released,) = await module_accrual.released()
    assert (released.data.member_id, released.data.occurred_at) == (anna, receipt.data.occurred_at)
    assert released.data.claimed_at is not None
    await module_accrual.award(released)
    await module_accrual.award(released)
    assert await module_accrual.balance(anna) == Balances(pending=10)
    await fraud_clears(module_accrual, receipt)
    assert await module_accrual.balance(anna) == Balances(available=10)
    assert (await state_of(client, receipt))["award"]["member_id"] == str(anna)
    assert slug(await claim(client, receipt, new_member())) == (409, "receipt-claimed")


async def test_fraud_may_clear_it_before_it_is_awarded_and_hold_it_before_anybody_can_spend(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    cleared, held, silent = [await came(module_accrual) for _ in range(3)]
    for receipt in (cleared, held, silent):
        assert (await claim(client, receipt, anna)).status_code == 202
    released = [*await module_accrual.released()]
    await fraud_clears(module_accrual, cleared)
    await hold(module_accrual, held)
    await fraud_clears(module_accrual, held)  # a late word of less weight changes nothing
    await module_accrual.drain()

    await module_accrual.award(*released)

    assert await module_accrual.balance(anna) == Balances(available=10, pending=20)
    pending = [event.data.reason for event in await module_accrual.drain() if isinstance(event, PointsPending)]
    assert sorted(pending) == ["INS_SWIPE", "receipt_claimed"]
    await release(module_accrual, held)
    assert await module_accrual.balance(anna) == Balances(available=20, pending=10)

    # Nobody says anything of the third: its time is over by itself, and what fraud says later still counts.
    async with module_accrual.database.transaction() as transaction:
        await transaction.raw.execute("update fraud_holds set ends_at = $1 where version = -1", transaction.now)
    await module_accrual.database.run(end_due_holds)
    assert await module_accrual.balance(anna) == Balances(available=30)
    await hold(module_accrual, silent)
    assert await module_accrual.balance(anna) == Balances(available=20, pending=10)


async def test_fraud_that_holds_what_waits_for_it_takes_nothing_of_other_receipts(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    receipt = await came(module_accrual)
    await module_accrual.award(purchase(next(_numbers), 3000, owner=anna))
    assert (await claim(client, receipt, anna)).status_code == 202
    await module_accrual.award(*await module_accrual.released())
    await module_accrual.drain()

    await hold(module_accrual, receipt)

    assert await module_accrual.balance(anna) == Balances(available=30, pending=10)
    (told,) = [event.data for event in await module_accrual.drain() if isinstance(event, PointsPending)]
    assert (told.points, told.shortfall, told.reason) == (0, 0, "INS_SWIPE")
    await release(module_accrual, receipt)
    assert await module_accrual.balance(anna) == Balances(available=40)


async def test_two_claim_it_at_once_and_one_has_it(client: Client, module_accrual: Accrual, anna: UUID) -> None:
    receipt = await came(module_accrual)
    others = [new_member() for _ in range(4)]
    await module_accrual.members(*map(enrolled, others))

    answers = await asyncio.gather(*(claim(client, receipt, each) for each in (anna, *others)))

    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409, 409]
    (released,) = await module_accrual.released()
    await module_accrual.award(released)
    await fraud_clears(module_accrual, receipt)
    balances = [await module_accrual.balance(each) for each in (anna, *others)]
    assert sorted(balance.available for balance in balances) == [0, 0, 0, 0, 10]


async def test_the_till_sends_it_again_with_a_card_before_and_after_and_it_earns_once(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    bert = new_member()
    await module_accrual.members(enrolled(bert), linked(bert, card(900)))
    first, second = await came(module_accrual), await came(module_accrual)
    numbers = [each.data.content_hash for each in (first, second)]
    with_card = [
        purchase(int(number[:32], 16), 1000, owner=bert, identifier_hash=card(900), contents=1) for number in numbers
    ]

    await module_accrual.award(with_card[0])  # other contents under a known key: kept, and refused
    await claim(client, first, anna)
    await claim(client, second, anna)
    released = await module_accrual.released()
    await module_accrual.award(with_card[1], *released)
    await module_accrual.award(*with_card, *released)
    await fraud_clears(module_accrual, first, second)

    assert await module_accrual.balance(anna) == Balances(available=20)
    assert await module_accrual.balance(bert) == Balances()
    told = await module_accrual.drain()
    assert [type(event) for event in told].count(PointsEarned) == 2
    assert {event.data.reason for event in told if isinstance(event, ReceiptRefused)} == {"content_conflict"}


async def test_the_till_sends_the_same_again_between_claim_and_award(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    receipt = await came(module_accrual)
    await claim(client, receipt, anna)
    await module_accrual.award(receipt)  # parked anew: it names nobody still

    assert slug(await claim(client, receipt, new_member())) == (409, "receipt-claimed")
    await module_accrual.award(*await module_accrual.released())
    await fraud_clears(module_accrual, receipt)
    assert await module_accrual.balance(anna) == Balances(available=10)


async def test_a_return_that_came_before_the_claim_takes_its_part_when_it_is_decided(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    receipt = await came(module_accrual)
    assert (await module_accrual.award(return_of(receipt, next(_numbers), {1: 400}))).parked

    await claim(client, receipt, anna)
    await module_accrual.award(*await module_accrual.released())
    await module_accrual.award(*await module_accrual.released())
    await fraud_clears(module_accrual, receipt)

    assert await module_accrual.balance(anna) == Balances(available=6)


async def test_of_a_member_who_was_merged_the_survivor_has_it(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    anne = new_member()
    await module_accrual.members(enrolled(anne))
    receipt = await came(module_accrual)
    await claim(client, receipt, anne)
    await module_accrual.members(merged_into(anna, anne))

    await module_accrual.award(*await module_accrual.released())
    await fraud_clears(module_accrual, receipt)

    assert await module_accrual.balance(anna) == Balances(available=10)


async def test_what_cannot_be_claimed_says_why(client: Client, module_accrual: Accrual, anna: UUID) -> None:
    waiting, awarded = await came(module_accrual), await came(module_accrual, owner=anna)
    with_card = await came(module_accrual, identifier_hash=card(901))
    gone = new_member()
    await module_accrual.members(enrolled(gone), status_changed(gone, "closed"))
    never_came = purchase(10_000, 1000)
    for answer, refusal in (
        (await claim(client, awarded, anna), (409, "receipt-not-claimable")),
        (await claim(client, with_card, anna), (409, "receipt-not-claimable")),
        (await claim(client, never_came, anna), (404, "not-found")),
        (await claim(client, "not-an-id", anna), (404, "not-found")),
        (await claim(client, waiting, gone), (409, "member-not-ready")),
        (await claim(client, waiting, new_member()), (409, "member-not-ready")),
    ):
        assert slug(answer) == refusal, answer.text
    body = {"member_id": str(anna), "total_minor": 1000, "bought_on": DAY}
    bound = bearing("receipts:claim", client_id="grocer-hq", partner_id="grocer")
    url = f"/v1/receipts/{waiting.data.receipt_id}:claim"
    assert slug(await client.post(url, json=body, headers=bound)) == (404, "not-found")
    async with module_accrual.database.transaction() as transaction:
        assert await transaction.raw.fetchval("select count(*) from claims where content_hash is null") == 0


async def test_whoever_guesses_ends_it_for_all(client: Client, module_accrual: Accrual, anna: UUID) -> None:
    receipt, other = await came(module_accrual), await came(module_accrual)
    wrong = [await claim(client, receipt, anna, total_minor=total) for total in range(3)]
    wrong += [await claim(client, receipt, anna, bought_on="2026-11-02") for _ in range(2)]

    assert {slug(answer) for answer in wrong} == {(422, "proof-mismatch")}
    assert slug(await claim(client, receipt, anna)) == (409, "too-many-proofs")
    assert (await claim(client, other, anna)).status_code == 202
    assert len(await module_accrual.released()) == 1


async def test_its_time_is_over(client: Client, module_accrual: Accrual, anna: UUID) -> None:
    receipt = purchase(next(_numbers), 1000)
    late = receipt.data.model_copy(update={"received_at": receipt.data.received_at.replace(year=2025)})
    await module_accrual.award(receipt.model_copy(update={"data": late}))

    assert slug(await claim(client, receipt, anna)) == (409, "claimed-too-late")


async def test_the_ledger_bears_all_of_it_out(module_database: FreshDatabase) -> None:
    assert (await verified(module_database)).findings == ()
