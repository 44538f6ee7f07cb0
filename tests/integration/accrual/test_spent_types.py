"""Points of a second type from the rule that gives them to the return that takes them back, over both services."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest

from services.redemption.domain.holding import HoldRequest
from services.redemption.domain.tender import points_tenders
from services.redemption.use_cases.hold_points import Held, Spender, hold_points
from services.redemption.use_cases.settle_tenders import settle_tenders
from shared.database import Database, Transaction
from shared.database.roles import role_name
from shared.events.purchases import Tender
from shared.ledger import Balances
from shared.point_types import OtherPointType, PointTypes
from tests.support.accrual import Accrual, begun_accrual
from tests.support.databases import FreshDatabase
from tests.support.earning_in_parts import balances, rule, rule_set
from tests.support.ledger_database import verified
from tests.support.receipts import purchase, return_of
from tests.support.redemption import PROGRAMME, Spending

TYPES = PointTypes("points", 0, (OtherPointType(code="miles", use="spend", exponent=1, minor_per_point=2),))
MILES = replace(PROGRAMME, point_types=TYPES, pricing=replace(PROGRAMME.pricing, others=TYPES.prices))
RULES = rule_set(
    rule("base"),
    rule("miles", {"kind": "points_per_amount", "point_type": "miles", "points": 10, "step_minor": 100}),
)
numbers = count(7_000)


@pytest.fixture(scope="module")
async def module_accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULES) as accrual:
        yield accrual


@pytest.fixture
async def spending(module_database: FreshDatabase) -> AsyncIterator[Spending]:
    spending = Spending(Database(module_database.url(role_name("redemption"))))
    yield spending
    await spending.database.close()


async def test_miles_are_earned_held_taken_and_owed_by_themselves(
    module_accrual: Accrual, module_database: FreshDatabase, spending: Spending, anna: UUID
) -> None:
    await spending.enrol(anna)
    bought = purchase(next(numbers), 1_000, owner=anna)
    await module_accrual.award(bought)
    assert await balances(module_accrual, anna, "miles") == Balances(available=100)

    async def hold(transaction: Transaction) -> object:
        request = HoldRequest("grocer", 80, transaction.now + timedelta(minutes=9), point_type="miles")
        return await hold_points(transaction, Spender(anna), request, MILES)

    held = await spending.do(hold)
    assert isinstance(held, Held)
    paid = Tender(kind="points", amount_minor=160, redemption_id=held.redemption.redemption_id)
    tenders = points_tenders(purchase(next(numbers), 160, owner=anna, tenders=(paid,)), MILES.pricing)
    await spending.do(lambda transaction: settle_tenders(transaction, tenders, MILES.pricing))
    assert await balances(module_accrual, anna, "miles") == Balances(available=20)

    await module_accrual.award(return_of(bought, next(numbers), {1: 1000}))  # 100 miles and 10 points go back

    assert await balances(module_accrual, anna, "miles") == Balances(debt=80)
    assert await balances(module_accrual, anna) == Balances()
    await module_accrual.award(purchase(next(numbers), 500, owner=anna))  # its 50 miles clear what miles are owed
    assert await balances(module_accrual, anna, "miles") == Balances(debt=30)
    assert await balances(module_accrual, anna) == Balances(available=5)
    assert (await verified(module_database)).is_sound
