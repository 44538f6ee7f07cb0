"""What HTTP named as a return is something else: nothing goes back twice, and where need be a person is told."""

from typing import Any

import httpx2
import pytest

from tests.integration.redemption.test_refunds import (
    ANNA,
    BREAD,
    MILK,
    bought,
    brought_back,
    of,
    read,
    refund,
    refunds,
    sold,
)
from tests.support.adjusting import slug
from tests.support.receipts import exchange_of, line, void_of
from tests.support.redemption import Spending


@pytest.mark.parametrize("said", [{"points": 60}, {"lines": [of(BREAD)]}])
async def test_what_http_called_a_return_may_be_the_void_of_the_receipt(
    client: httpx2.AsyncClient, spending: Spending, said: dict[str, Any]
) -> None:
    redemption_id, sale = await sold(spending)
    assert (await refund(client, redemption_id, 2, **said)).status_code == 200

    await read(spending, void_of(sale, 2))
    await read(spending, void_of(sale, 2))

    told = await refunds(spending)
    assert [(one.points, one.cause) for one in told] == [(60, "return"), (240, "void")]
    assert len({one.undone_by for one in told}) == 1
    assert len({one.content_hash for one in told}) == 2  # whoever counts them tells them apart
    assert await spending.exceptions() == []
    assert slug(await refund(client, redemption_id, 2, **said)) == (409, "return-of-another")
    await spending.check([ANNA], 1000)


async def test_what_http_called_a_return_may_be_the_void_of_another_receipt(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    redemption_id, sale = await sold(spending)
    other = bought(None, 100, number=9)
    await read(spending, other)
    assert (await refund(client, redemption_id, 2, points=60)).status_code == 200

    for _ in range(2):
        await read(spending, void_of(other, 2), void_of(other, 3))

    told = await refunds(spending)
    assert sorted((one.points, one.cause) for one in told) == [(60, "return"), (100, "void")]
    assert await spending.exceptions() == [("amount_mismatch", 0, 60)]
    await read(spending, brought_back(sale, 4, {BREAD: 3000, MILK: 1000}))
    assert [one.points for one in await refunds(spending)] == [240]
    await spending.check([ANNA], 1000)


async def test_of_a_return_and_a_void_under_one_key_each_gives_back_its_own(spending: Spending) -> None:
    """One of the two is refused by accrual; both are read here."""
    _, sale = await sold(spending)
    back, void = brought_back(sale, 2, {BREAD: 1000}), void_of(sale, 2)
    void = void.model_copy(update={"data": void.data.model_copy(update={"content_hash": "ab" * 32})})
    for document in (back, void, back, void):
        await read(spending, document)

    assert [one.points for one in await refunds(spending)] == [60, 240]
    await spending.check([ANNA], 1000)


@pytest.mark.parametrize("said", [{"points": 120}, {"lines": [of(MILK)]}])
async def test_what_http_called_a_return_may_be_an_exchange(
    client: httpx2.AsyncClient, spending: Spending, said: dict[str, Any]
) -> None:
    redemption_id, sale = await sold(spending)
    assert (await refund(client, redemption_id, 2, **said)).status_code == 200

    await read(spending, exchange_of(sale, 2, {MILK: 1000}, [line(1, 400)]))

    assert [one.points for one in await refunds(spending)] == [120]
    await read(spending, exchange_of(sale, 2, {MILK: 1000}, [line(1, 400)]))
    assert await spending.exceptions() == [("overpaid_refund", 120, 120)]
    await spending.check([ANNA], 1000)
