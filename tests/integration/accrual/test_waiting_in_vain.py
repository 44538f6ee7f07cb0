"""What waits for a purchase that never comes is refused when its time is over, with an event: nothing is lost."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from uuid import UUID

import pytest

from services.accrual.use_cases.refuse_overdue import refuse_overdue
from shared.database import Transaction
from shared.events.points import ReceiptRefused
from shared.events.purchases import PurchaseEvent
from shared.ledger import Balances
from shared.receipt_key import natural_key_of
from tests.support.accrual import PROGRAMME, Accrual
from tests.support.adjusting import Client
from tests.support.interleaving import interleave
from tests.support.receipts import card, correction_of, exchange_of, purchase, return_of, void_of
from tests.support.registries import bearing

WAITING = replace(PROGRAMME, retro_window=timedelta(days=90))  # and thirty days parked, after that
_numbers = count(1)


async def days_pass(accrual: Accrual, *events: PurchaseEvent, days: int) -> None:
    """As if these had waited for so much longer."""
    keys = [natural_key_of(event.data.receipt_id) for event in events]
    async with accrual.database.transaction() as transaction:
        await transaction.raw.execute(
            "update parked set parked_at = parked_at - $2::interval where natural_key = any($1)",
            keys,
            timedelta(days=days),
        )


async def refused(accrual: Accrual) -> dict[str, str]:
    """What was refused by now, and why, by receipt."""
    while await accrual.database.run(partial(refuse_overdue, programme=WAITING)):
        pass
    told = [event.data for event in await accrual.drain() if isinstance(event, ReceiptRefused)]
    return {data.receipt_id: data.reason for data in told}


async def test_it_is_refused_when_no_purchase_could_come_any_more(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    never = purchase(next(_numbers), 1000, owner=anna)
    unknown = card(next(_numbers))
    back = return_of(never, next(_numbers), {1: 400})
    carded = return_of(never, next(_numbers), {1: 100})
    carded = carded.model_copy(update={"data": carded.data.model_copy(update={"identifier_hash": unknown})})
    others: list[PurchaseEvent] = [void_of(never, next(_numbers)), correction_of(never, next(_numbers), 900)]
    exchange = exchange_of(never, next(_numbers), {1: 500}, 700, identifier_hash=unknown)
    for_its_card = purchase(next(_numbers), 1000, identifier_hash=unknown)
    waiting: list[PurchaseEvent] = [back, carded, *others, exchange, for_its_card]
    for event in waiting:
        await module_accrual.award(event)

    await days_pass(module_accrual, *waiting, days=29)
    assert await refused(module_accrual) == {}
    await days_pass(module_accrual, *waiting, days=2)  # what bears the hash of a card waits no longer than that
    assert await refused(module_accrual) == {exchange.data.receipt_id: "purchase_never_came"}
    await days_pass(module_accrual, *waiting, days=90)
    told = await refused(module_accrual)

    assert told == {event.data.receipt_id: "purchase_never_came" for event in (back, carded, *others)}
    shown = (await client.get(f"/v1/receipts/{carded.data.receipt_id}", headers=bearing("receipts:read"))).json()
    assert (shown["status"], shown["refusals"][0]["reason"]) == ("refused", "purchase_never_came")
    assert (await module_accrual.award(back, carded)).duplicates == 2
    async with module_accrual.database.transaction() as transaction:
        left = await transaction.raw.fetch("select waits_for from parked")
    assert [row["waits_for"] for row in left] == [f"i:{unknown}"]


@pytest.mark.parametrize("is_purchase_first", [True, False])
async def test_a_purchase_that_comes_in_the_last_moment_takes_its_return_along_or_not_and_never_half(
    module_accrual: Accrual, anna: UUID, *, is_purchase_first: bool
) -> None:
    sale = purchase(next(_numbers), 1000, owner=anna)
    back = return_of(sale, next(_numbers), {1: 400})
    await module_accrual.award(back)
    await days_pass(module_accrual, back, days=121)

    async def award(transaction: Transaction) -> None:
        await module_accrual.award_in(transaction, [sale])

    async def refuse(transaction: Transaction) -> None:
        await refuse_overdue(transaction, WAITING)

    await interleave(module_accrual.database, *((award, refuse) if is_purchase_first else (refuse, award)))
    released = await module_accrual.released()
    if released:
        await module_accrual.award(*released)

    assert len(released) == int(is_purchase_first)
    assert await module_accrual.balance(anna) == Balances(available=6 if is_purchase_first else 10)
