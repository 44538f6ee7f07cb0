"""An exchange is voided after its purchase was corrected, moved or taken from otherwise: what is kept stands alone."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from shared.ledger import Balances
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.adjusting import Client
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import verified
from tests.support.receipt_moves import move
from tests.support.receipts import NOON, correction_of, exchange_of, line, purchase, return_of, void_of

_numbers = count(1)


@pytest.fixture(scope="module")
async def module_accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, zone=ZoneInfo("America/New_York")) as accrual:
        yield accrual
        assert (await verified(module_database)).is_sound


@pytest.mark.parametrize("cents", [1400, 700])
async def test_a_void_after_the_purchase_was_corrected_gives_back_what_the_corrected_goods_earn(
    module_accrual: Accrual, anna: UUID, cents: int
) -> None:
    """Of ten dollars four came back for seven others; the first receipt then turns out to have been another."""
    sale = purchase(next(_numbers), [line(1, 1000)], owner=anna)
    exchange = exchange_of(sale, next(_numbers), {1: 400}, 700)
    await module_accrual.award(sale, exchange)
    assert await module_accrual.balance(anna) == Balances(available=6 + 7)

    await module_accrual.award(correction_of(sale, next(_numbers), cents))
    assert await module_accrual.balance(anna) == Balances(available=cents * 6 // 1000 + 7)
    await module_accrual.award(void_of(exchange, next(_numbers)))
    assert await module_accrual.balance(anna) == Balances(available=cents // 100)

    await module_accrual.award(return_of(sale, next(_numbers), {1: 1000}))
    assert await module_accrual.balance(anna) == Balances()


async def test_a_correction_after_the_void_is_of_the_whole_purchase(module_accrual: Accrual, anna: UUID) -> None:
    sale = purchase(next(_numbers), [line(1, 1000)], owner=anna)
    exchange = exchange_of(sale, next(_numbers), {1: 400}, 700)
    await module_accrual.award(sale, exchange)
    await module_accrual.award(void_of(exchange, next(_numbers)))

    await module_accrual.award(correction_of(sale, next(_numbers), 1200))

    assert await module_accrual.balance(anna) == Balances(available=12)


async def test_a_purchase_that_was_moved_between_gets_its_goods_back_where_it_is_now(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    bert = await joined(module_accrual, NOON - timedelta(days=400))
    sale = purchase(next(_numbers), [line(1, 1000)], owner=anna)
    exchange = exchange_of(sale, next(_numbers), {1: 400}, 700)
    await module_accrual.award(sale, exchange)

    answer = await move(client, sale, anna, bert)
    assert answer.status_code == 201, answer.text
    assert await module_accrual.balance(bert) == Balances(available=6)
    assert await module_accrual.balance(anna) == Balances(available=7)
    refused = await move(client, exchange.data.receipt_id, anna, bert)
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[-1]) == (409, "an-exchange")

    await module_accrual.award(void_of(exchange, next(_numbers)))

    assert await module_accrual.balance(anna) == Balances()
    assert await module_accrual.balance(bert) == Balances(available=10)
