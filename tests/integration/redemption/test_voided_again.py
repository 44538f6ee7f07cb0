"""What a return paid out in money stays so, however often and by whatever documents its receipt is voided."""

import pytest

from shared.events.purchases import PurchaseEvent
from tests.integration.redemption.test_returned_goods import (
    ANNA,
    BREAD,
    MILK,
    bought,
    brought_back,
    read,
    refunds,
    sweep,
)
from tests.support.receipts import exchange_of, void_of
from tests.support.redemption import Spending


@pytest.mark.parametrize("other_document", [False, True], ids=["the same void", "another void"])
async def test_a_void_that_is_read_again_gives_nothing_of_what_was_paid_out_in_money(
    spending: Spending, *, other_document: bool
) -> None:
    """300 points paid: 60 for each loaf, 120 for the milk. One loaf was paid back in money."""
    await spending.enrol(ANNA, 1000)
    sale = bought(300)
    await read(spending, sale, brought_back(sale, 2, {BREAD: 1000}, [("cash", 200)]))
    await read(spending, void_of(sale, 3))
    assert [one.points for one in await refunds(spending)] == [240]

    await read(spending, void_of(sale, 4 if other_document else 3))

    assert await refunds(spending) == []
    await spending.check([ANNA], 1000)


@pytest.mark.parametrize("order", [("void", "its void"), ("its void", "void")])
async def test_the_void_of_an_exchange_gives_back_what_had_moved_on_and_nothing_that_was_paid_out_in_money(
    spending: Spending, order: tuple[str, ...]
) -> None:
    """A loaf was paid back in money (60 points), and the milk (120) was exchanged: both voids give the rest, once."""
    await spending.enrol(ANNA, 1000)
    sale = bought(300)
    exchange = exchange_of(sale, 3, {MILK: 1000}, 400)
    events: dict[str, PurchaseEvent] = {"void": void_of(sale, 4), "its void": void_of(exchange, 5)}
    await read(spending, sale, brought_back(sale, 2, {BREAD: 1000}, [("cash", 200)]))
    await read(spending, exchange)
    for step in (*order, *order):
        await read(spending, events[step])
        await sweep(spending)

    assert sum(one.points for one in await refunds(spending)) == 240
    await spending.check([ANNA], 1000)
