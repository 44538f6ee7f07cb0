"""Every checkout gives a quote, and few of them are held by: those that are not must not pile up."""

from datetime import timedelta
from uuid import UUID

import pytest

from services.redemption import unused_quotes
from services.redemption.domain.errors import UnknownQuoteError
from services.redemption.domain.holding import HoldRequest
from services.redemption.domain.write_off.quoting import BasketLine
from services.redemption.use_cases.hold_points import Held, Spender, hold_points
from services.redemption.use_cases.quote_points import Asked, quote_points
from shared.database import Database, Transaction
from tests.support.receipts import member
from tests.support.redemption import PROGRAMME, Admin, Spending

ANNA = member(1)
QUARTER_HOUR = timedelta(minutes=15)


async def quoted(spending: Spending) -> UUID:
    async def work(transaction: Transaction) -> UUID:
        basket = Asked("grocer", [BasketLine(1, 900)], [None])
        return (await quote_points(transaction, Spender(ANNA), basket, PROGRAMME, QUARTER_HOUR)).stored.quote_id

    return await spending.do(work)


async def hold(spending: Spending, quote_id: UUID) -> object:
    async def work(transaction: Transaction) -> object:
        request = HoldRequest("grocer", 100, transaction.now + QUARTER_HOUR, quote_id=quote_id)
        return await hold_points(transaction, Spender(ANNA), request, PROGRAMME)

    return await spending.do(work)


async def test_a_quote_that_no_hold_has_named_is_forgotten_and_the_others_stay(
    spending: Spending, as_service: Database, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every checkout gives one: they must not pile up for as long as those that price what was bought."""
    monkeypatch.setattr(unused_quotes, "PAGE_ROWS", 2)
    await spending.enrol(ANNA, 1000)
    given = [await quoted(spending) for _ in range(5)]
    assert isinstance(await hold(spending, given[1]), Held)
    sweep = unused_quotes.UnusedQuotes(as_service, timedelta(hours=1))
    await sweep.forget()
    await spending.advance(admin, timedelta(hours=1, seconds=1))
    late = await quoted(spending)

    async def left() -> list[UUID]:
        await sweep.forget()
        rows = await admin.fetch("select quote_id from redemption.redemption_quotes order by quoted_at")
        return [row["quote_id"] for row in rows]

    assert [await left(), await left()] == [[given[1], late]] * 2
    await spending.advance(admin, timedelta(hours=1, seconds=1))
    assert await left() == [given[1]]  # it goes on where it was
    with pytest.raises(UnknownQuoteError):
        await hold(spending, late)
