"""Redemption honours partners' contracts: a used-up one holds nothing, and holds keep to its least points and step."""

from datetime import UTC, datetime, timedelta

import pytest

from services.redemption.use_cases.hold_points import Declined, Held
from shared.ids import new_id
from tests.support.partner_funds import contract, exposure
from tests.support.receipts import member
from tests.support.redemption import Spending, paid_with_points, tender_of

ANNA = member(1)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


async def outcome(spending: Spending, points: int, partner_id: str = "grocer") -> str:
    held = await spending.hold(ANNA, points, partner_id=partner_id)
    match held:
        case Held():
            return "held"
        case Declined(decline=decline):
            return decline.reason
        case _:
            raise AssertionError(held)


async def test_a_partner_without_a_contract_is_not_asked_for_one(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    await spending.coalition(exposure("exhausted", 1))
    assert await outcome(spending, 100) == "held"


async def test_a_used_up_contract_holds_nothing_until_it_is_paid_for(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    await spending.coalition(contract(LONG_AGO), exposure("exhausted", 1))
    assert await outcome(spending, 100) == "partner_funds_exhausted"
    assert await outcome(spending, 100, partner_id="fuel") == "held"
    await spending.coalition(exposure("reserve", 2), exposure("exhausted", 1))
    assert await outcome(spending, 100) == "held"


async def test_what_was_held_before_is_captured_whatever_is_left(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    await spending.coalition(contract(LONG_AGO))
    redemption = await spending.held(ANNA, 400)
    await spending.coalition(exposure("exhausted", 1))
    await spending.settle(tender_of(paid_with_points(1, 400, redemption.redemption_id)))
    assert (await spending.balance(ANNA)).available == 600


@pytest.mark.parametrize(
    ("points", "expected"), [(400, "below_minimum"), (500, "held"), (550, "not_in_steps"), (600, "held")]
)
async def test_a_hold_keeps_to_the_contracts_least_points_and_step(
    spending: Spending, points: int, expected: str
) -> None:
    await spending.enrol(ANNA, 1000)
    await spending.coalition(contract(LONG_AGO, minimum_points=500, step_points=100))
    assert await outcome(spending, points) == expected


async def test_contracts_bind_from_the_first_one_on(spending: Spending) -> None:
    await spending.enrol(ANNA, 1000)
    now = await spending.now()
    await spending.coalition(contract(now + YEAR), exposure("exhausted", 1))
    assert await outcome(spending, 100) == "held"  # it has not begun
    await spending.coalition(contract(LONG_AGO, LONG_AGO, contract_id=new_id()))
    assert await outcome(spending, 100) == "held"  # it was ended before it began
    await spending.coalition(contract(LONG_AGO, LONG_AGO + YEAR, contract_id=new_id()))
    assert await outcome(spending, 100) == "no_contract_in_force"
