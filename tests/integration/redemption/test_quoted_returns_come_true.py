"""What a till is told of a return is what becomes of it, whichever of accrual and redemption reads it first."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx2
import pytest

from services.accrual.domain.rules import RuleSet
from services.redemption.consumer import PurchaseHandler
from services.redemption.gateways.return_previews import ReturnPreviews
from services.redemption.use_cases.quote_return import ReturnDesk
from shared.database import Database
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseEvent, Tender
from shared.kafka import Batch, BatchSize
from shared.kafka.records import Record
from shared.ledger import Balances, SpendLate, load_balances, post
from shared.receipt_key import natural_key_of
from shared.web.access_tokens import AccessToken
from tests.support.accrual import Accrual
from tests.support.applications import application
from tests.support.databases import made_database
from tests.support.receipts import changed_rules, enrolled, line, member, purchase, return_of
from tests.support.redemption import PROGRAMME, Spending
from tests.support.registries import coalition_client, coalition_settings
from tests.support.servers import TestServers

SECRET = "correct horse battery staple"
CLIENT = {"client_id": "redemption", "secret": SECRET, "scopes": ["returns:preview"]}
# By the month in which goods are bought: what becomes of points that a return cannot take.
RETURNS: dict[int, dict[str, Any]] = {
    6: {"claw_back": "debt"},
    7: {"claw_back": "debt", "forgive_below": 9},
    8: {"claw_back": "clip"},
}
numbers = count(1)


def rules(version: int, month: int) -> RuleSet:
    since = datetime(2026, month, 1, tzinfo=UTC)
    return changed_rules(version=version, effective_from=since, returns=RETURNS[month])


@pytest.fixture(scope="module")
async def both(stack: TestServers) -> AsyncIterator[tuple[Accrual, Spending, ReturnDesk]]:
    """Two services on one ledger, and the desk of one that asks the other over HTTP."""
    async with made_database(stack) as fresh:
        accrual = Accrual(Database(fresh.url("tessera_accrual")))
        await accrual.begin(rule_set=rules(1, 6))
        await accrual.publish(rules(2, 7), rules(3, 8))
        spending, tokens_database = (
            Spending(Database(fresh.url("tessera_redemption"))),
            Database(fresh.url("tessera_coalition")),
        )
        async with (
            coalition_client(tokens_database, coalition_settings([CLIENT])) as tokens,
            application("accrual", fresh.url("tessera_accrual")) as app,
            httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client,
        ):
            token = AccessToken(tokens, "http://test/oauth/token", "redemption", SECRET)
            previews = ReturnPreviews(client, "http://test", token)
            yield accrual, spending, ReturnDesk(spending.database, PROGRAMME, previews, seconds_max=30)
        for database in (accrual.database, spending.database, tokens_database):
            await database.close()


@pytest.mark.parametrize("first", ["accrual", "redemption"])
@pytest.mark.parametrize("month", RETURNS)
async def test_points_back_taken_lacking_and_forgiven_are_those_of_the_return(
    both: tuple[Accrual, Spending, ReturnDesk], month: int, first: str
) -> None:
    """Points had paid a few cents of goods that earned more; of all that was left, hardly any is. In two returns."""
    accrual, spending, desk = both
    anna = member(next(numbers))
    await accrual.members(enrolled(anna))
    await spending.enrol(anna, 40)
    tenders = [Tender(kind="points", amount_minor=4), Tender(kind="card", amount_minor=1996)]
    goods = [line(1, 1200, quantity_thousandths=3000), line(2, 800)]
    sale = purchase(
        next(numbers), goods, owner=anna, tenders=tenders, occurred_at=datetime(2026, month, 9, 12, tzinfo=UTC)
    )
    await read(spending, sale)
    await accrual.award(sale)
    async with spending.database.transaction() as transaction:
        left = (await load_balances(transaction, [anna], "points"))[anna].available
        await post(transaction, [SpendLate(anna, "points", b"%d" % next(numbers), left - 2, "fuel")])

    for thousandths in ({1: 1000, 2: 1000}, {1: 2000}):
        told = await desk.quote(natural_key_of(sale.data.receipt_id), thousandths)
        assert told.taken is not None
        [taken] = told.taken.taken
        back = sum(one.points for one in told.quoted.quote.points)
        before = await balance(spending, anna)
        event = return_of(sale, next(numbers), thousandths)
        for service in (first, "redemption" if first == "accrual" else "accrual"):
            await (accrual.award(event) if service == "accrual" else read(spending, event))
        after = await balance(spending, anna)

        assert worth(after) == worth(before) + back - (taken.points - taken.forgiven)
        if not before.debt:  # else what comes back pays that first
            assert after.debt == (taken.lacking - taken.forgiven if told.taken.policy == "debt" else 0)
        assert back > 0


async def read(spending: Spending, event: PurchaseEvent) -> None:
    record = Record(event, PURCHASES.topic, 0, next(numbers), None, event.to_bytes(), {})
    await PurchaseHandler(spending.database, PROGRAMME, BatchSize(200)).handle(Batch((record,), ()))


async def balance(spending: Spending, owner: Any) -> Balances:
    async with spending.database.transaction() as transaction:
        return (await load_balances(transaction, [owner], "points"))[owner]


def worth(balance: Balances) -> int:
    return balance.available - balance.debt
