"""What a household lent, and what became of its members since: balances that are told, purchases that stay secret."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from importlib import import_module
from uuid import UUID

import httpx2
import pytest

from services.redemption.consumer import PurchaseHandler
from shared import ledger
from shared.database import Database
from shared.database.roles import role_name
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseEvent
from shared.events.redemptions import RedemptionCaptured, RedemptionExpired, RedemptionVoided
from shared.kafka import Batch, BatchSize, PermanentError
from shared.kafka.halving import handle_by_halves
from shared.kafka.records import Record
from shared.ledger import Balances
from tests.support.databases import FreshDatabase
from tests.support.pooling import HOME, Place, move_in, pooled
from tests.support.receipts import member, merged_into
from tests.support.redemption import PROGRAMME, Admin, Spending, earn, paid_with_points, tender_of
from tests.support.registries import bearing

ANNA, BERT, DORA = (member(number) for number in range(1, 4))


@pytest.fixture
async def accrual(own_database: FreshDatabase) -> AsyncIterator[Database]:
    database = Database(own_database.url(role_name("accrual")))
    yield database
    await database.close()


async def merge(accrual: Database, spending: Spending, merged: UUID, survivor: UUID) -> None:
    await accrual.run(lambda transaction: ledger.merge(transaction, merged, survivor))
    await spending.members(merged_into(survivor, merged, version=300))


@pytest.mark.parametrize("end", ["void", "capture", "expire", "tender"])
async def test_the_balance_told_is_the_last_one_though_the_lender_is_the_spender_by_now(
    spending: Spending, accrual: Database, admin: Admin, end: str
) -> None:
    await _at_home(spending, 100, 300)
    redemption_id = (await pooled(spending, ANNA, 350)).redemption_id
    await merge(accrual, spending, BERT, ANNA)
    await spending.drain()

    match end:
        case "void":
            await spending.void(redemption_id)
        case "capture":
            await spending.capture(redemption_id, 1, 120)
        case "expire":
            await spending.expire(await spending.advance(admin, timedelta(hours=1)))
        case _:
            await spending.settle(tender_of(paid_with_points(1, 120, redemption_id, owner=ANNA)))

    [event] = await spending.drain()
    left = 400 if end in {"void", "expire"} else 280
    assert isinstance(event, RedemptionVoided | RedemptionCaptured | RedemptionExpired)
    assert event.data.balance.available == (await spending.balance(ANNA)).available == left


async def test_what_comes_back_and_clears_the_lenders_debt_does_not_name_the_purchase(
    spending: Spending, client: httpx2.AsyncClient
) -> None:
    await _at_home(spending, 100, 300)
    redemption_id = (await pooled(spending, ANNA, 400)).redemption_id
    earned = earn(BERT, 10)
    returned = ledger.ClawBack(BERT, "points", b"return", 60, earned.terms, b"award")
    await spending.do(lambda transaction: ledger.post(transaction, [earned, returned]))

    await spending.capture(redemption_id, 1, 150)

    told = await _statement(client, BERT)
    assert "clear_debt" in {line["kind"] for line in told}
    assert await _purchases_of(client, ANNA) & {line["receipt_id"] for line in told} == set()


async def test_what_comes_back_to_a_lenders_survivor_does_not_name_the_purchase(
    spending: Spending, client: httpx2.AsyncClient, accrual: Database
) -> None:
    await _at_home(spending, 100, 300)
    await spending.enrol(DORA, 10)
    redemption_id = (await pooled(spending, ANNA, 400)).redemption_id
    await merge(accrual, spending, BERT, DORA)

    await spending.capture(redemption_id, 1, 150)

    told = await _statement(client, DORA)
    assert "merge" in {line["kind"] for line in told}
    assert await _purchases_of(client, ANNA) & {line["receipt_id"] for line in told} == set()


async def test_a_household_sees_nothing_of_a_survivor_who_never_agreed(
    spending: Spending, client: httpx2.AsyncClient, accrual: Database
) -> None:
    await _at_home(spending, 10, 10, bert_shows=True)
    await spending.enrol(DORA, 777)

    await merge(accrual, spending, BERT, DORA)  # of the household nothing has been heard yet

    answer = await client.get(
        f"/v1/households/{HOME}/members/{BERT}/statement",
        params={"reader_id": str(ANNA)},
        headers=bearing("households:read"),
    )
    assert answer.status_code == 404


async def test_a_batch_that_pools_too_much_is_halved_until_it_fits(
    spending: Spending, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _at_home(spending, 10, 300)
    receipts = []
    for number in (1, 2):
        redemption_id = (await pooled(spending, ANNA, 100)).redemption_id
        receipts.append(paid_with_points(number, 100, redemption_id, owner=ANNA))
    monkeypatch.setattr(
        import_module("shared.ledger.posting"), "COMMANDS_MAX", 2
    )  # one receipt's: from Anna's points and from Bert's

    handler = PurchaseHandler(spending.database, PROGRAMME, BatchSize(200))

    async def handle(part: Sequence[Record[PurchaseEvent]]) -> None:
        await handler.handle(Batch(tuple(part), ()))

    with pytest.raises(PermanentError):
        await handle(_records(receipts))
    letters = await handle_by_halves(_records(receipts), handle, lambda error: isinstance(error, PermanentError), 10)

    assert letters == {}
    assert (await spending.balance(ANNA), await spending.balance(BERT)) == (Balances(), Balances(available=110))


def _records(events: Sequence[PurchaseEvent]) -> tuple[Record[PurchaseEvent], ...]:
    return tuple(
        Record(event, PURCHASES.topic, 0, place, None, event.to_bytes(), {}) for place, event in enumerate(events)
    )


async def _at_home(spending: Spending, annas: int, berts: int, *, bert_shows: bool = False) -> None:
    await spending.enrol(ANNA, annas)
    await spending.enrol(BERT, berts)
    await move_in(spending, 1, Place(ANNA), Place(BERT, shows_purchases=bert_shows))


async def _statement(client: httpx2.AsyncClient, member_id: UUID) -> list[dict[str, str | None]]:
    answer = await client.get(f"/v1/members/{member_id}/statement", headers=bearing("balances:read"))
    lines: list[dict[str, str | None]] = answer.json()["items"]
    return lines


async def _purchases_of(client: httpx2.AsyncClient, member_id: UUID) -> set[str]:
    named = {line["receipt_id"] for line in await _statement(client, member_id)}
    purchases = {receipt_id for receipt_id in named if receipt_id is not None}
    assert purchases
    return purchases
