"""Goods on credit that earn as they are repaid: rules leave out what is on credit, and tills correct it away."""

from collections.abc import AsyncIterator
from itertools import permutations
from uuid import UUID

import pytest

from services.accrual.domain.rules import Exclusions
from shared.events.purchases import PurchaseRecorded, ReceiptCorrected, Tender
from shared.ledger import Balances
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.databases import FreshDatabase
from tests.support.receipt_moves import numbers
from tests.support.receipts import changed_rules, correction_of, line, purchase, return_of, void_of

ON_CREDIT_MINOR = 8_000
SOFA = line(1, 10_050, quantity_thousandths=2_000, settlement="credit")


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(
        module_database, changed_rules(exclusions=Exclusions(tenders=("points", "credit")))
    ) as accrual:
        yield accrual


@pytest.fixture
async def anna(accrual: Accrual) -> UUID:
    return await joined(accrual)


def sold(owner: UUID) -> PurchaseRecorded:
    """A sofa of 100.50, of which 80.00 are on credit."""
    return purchase(next(numbers), [SOFA], owner=owner, tenders=paid(ON_CREDIT_MINOR))


def paid(on_credit_minor: int) -> list[Tender]:
    rest = Tender(kind="card", amount_minor=SOFA.amount_minor - on_credit_minor)
    return [rest, Tender(kind="credit", amount_minor=on_credit_minor)] if on_credit_minor else [rest]


def left_on_credit(sale: PurchaseRecorded, minor: int, minutes_later: int) -> ReceiptCorrected:
    """What the till says after an instalment: so much of the receipt is on credit now."""
    return correction_of(sale, next(numbers), [SOFA], minutes_later=minutes_later, tenders=tuple(paid(minor)))


async def test_each_instalment_gives_its_part_and_one_that_bounces_takes_it_again(accrual: Accrual, anna: UUID) -> None:
    sale = sold(anna)
    repayment = purchase(next(numbers), [line(1, 4_000, settlement="repayment")], owner=anna)
    await accrual.award(sale)
    assert await accrual.balance(anna) == Balances(available=20)

    for at, (left_minor, points) in enumerate(((4_000, 60), (0, 100), (4_000, 60), (0, 100)), start=1):
        await accrual.award_in_runs(repayment, left_on_credit(sale, left_minor, at))
        assert await accrual.balance(anna) == Balances(available=points)

    await accrual.award(return_of(sale, next(numbers), {1: 1_000}))
    assert await accrual.balance(anna) == Balances(available=50)
    await accrual.award(void_of(sale, next(numbers)))
    assert await accrual.balance(anna) == Balances()


async def test_in_every_order_the_sale_earns_once(accrual: Accrual, anna: UUID) -> None:
    """The handover, two instalments and a return of one of two pieces: half of 100.50 is kept."""
    for order in list(permutations(range(4)))[::4]:
        sale = sold(anna)
        documents = (
            sale,
            left_on_credit(sale, 4_000, 1),
            left_on_credit(sale, 0, 2),
            return_of(sale, next(numbers), {1: 1_000}),
        )
        for number in (*order, *order):
            await accrual.award(documents[number])
        for released in await accrual.released():
            await accrual.award(released)
        assert (await accrual.balance(anna)).available == 50, order
        await accrual.award(void_of(sale, next(numbers)))
        assert await accrual.balance(anna) == Balances(), order
