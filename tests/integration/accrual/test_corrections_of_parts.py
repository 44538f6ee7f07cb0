"""A corrected receipt whose points are of several types, terms and payers: each part changes where it is now."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.accrual.domain.rules import RuleSet
from shared.events.points import PointsClawedBack, PointsEarned, PointsPending
from shared.ledger import Balances
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_tiers import publish
from tests.support.adjusting import Client
from tests.support.databases import FreshDatabase
from tests.support.earning_in_parts import balances
from tests.support.ledger_database import verified
from tests.support.pending_points import DELIVERED, tell
from tests.support.receipt_moves import RULE_SET, bought, numbers, with_coupon
from tests.support.receipts import NOON, correction_of, line, purchase, return_of, void_of


@pytest.fixture(scope="module")
async def module_accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULE_SET, zone=ZoneInfo("America/New_York")) as accrual:
        await publish(accrual)
        yield accrual


async def told(accrual: Accrual) -> list[tuple[str, int]]:
    kinds = PointsEarned | PointsClawedBack | PointsPending
    return [(type(event).__name__, event.data.points) for event in await accrual.drain() if isinstance(event, kinds)]


async def test_what_waits_goes_on_waiting_and_what_is_new_begins_to(module_accrual: Accrual, anna: UUID) -> None:
    receipt = await bought(module_accrual, anna, 10, "STATUS")
    await module_accrual.drain()

    await module_accrual.award(correction_of(receipt, next(numbers), 1200, coupons=("STATUS", "LATER")))

    assert await module_accrual.balance(anna) == Balances(available=12, pending=7)
    assert await balances(module_accrual, anna, "status") == Balances(available=24)
    assert sorted(await told(module_accrual)) == [
        ("PointsEarned", 2), ("PointsEarned", 4), ("PointsEarned", 7), ("PointsPending", 7),
    ]  # fmt: skip

    await module_accrual.award(correction_of(receipt, next(numbers), 800, coupons=(), minutes_later=2))

    assert await module_accrual.balance(anna) == Balances(available=8)
    assert await balances(module_accrual, anna, "status") == Balances()
    await module_accrual.award(correction_of(receipt, next(numbers), 900, coupons=("STATUS", "LATER"), minutes_later=3))
    assert await module_accrual.balance(anna) == Balances(available=9, pending=7)
    assert await balances(module_accrual, anna, "status") == Balances(available=18)
    await module_accrual.award(return_of(receipt, next(numbers), {1: 1000}))
    assert await module_accrual.balance(anna) == Balances()
    assert await balances(module_accrual, anna, "status") == Balances()


async def test_an_award_of_one_lot_may_get_parts(module_accrual: Accrual, anna: UUID) -> None:
    receipt, nothing = await bought(module_accrual, anna, 10), await bought(module_accrual, anna, 0)

    for each in (receipt, nothing):
        await module_accrual.award(correction_of(each, next(numbers), 600, coupons=("LATER",)))
        assert (await module_accrual.balance(anna)).pending == 7
        await module_accrual.award(return_of(each, next(numbers), {1: 1000}))
        await module_accrual.award(void_of(each, next(numbers)))
        assert (await module_accrual.balance(anna)).pending == 0
    assert await module_accrual.balance(anna) == Balances()


def _payer(event: PointsEarned | PointsClawedBack) -> str | None:
    if isinstance(event, PointsClawedBack):
        funding = event.data.funding
    else:
        funding = None if event.data.part is None else event.data.part.funding
    return None if funding is None else funding.payers[0].payer


async def test_who_pays_pays_for_the_difference(module_accrual: Accrual, anna: UUID) -> None:
    sold = line(1, 1000).model_copy(update={"seller": "acme"})
    receipt = purchase(next(numbers), [sold, line(2, 500)], owner=anna)
    await module_accrual.award(receipt)
    await module_accrual.drain()

    # The second line should have been another seller's, and the first cost less.
    lines = [sold.model_copy(update={"amount_minor": 700}), line(2, 500).model_copy(update={"seller": "globe"})]
    await module_accrual.award(correction_of(receipt, next(numbers), lines))

    said = [event for event in await module_accrual.drain() if isinstance(event, PointsEarned | PointsClawedBack)]
    told = {(type(event).__name__, _payer(event), event.data.points) for event in said}
    assert told == {
        ("PointsClawedBack", "acme", 3), ("PointsClawedBack", None, 5), ("PointsEarned", "globe", 5),
    }  # fmt: skip
    assert await module_accrual.balance(anna) == Balances(available=12)
    await module_accrual.award(void_of(receipt, next(numbers)))
    assert await module_accrual.balance(anna) == Balances()


async def test_what_an_event_has_released_gets_more_to_be_spent_at_once(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    effect = {"kind": "points_per_amount", "points": 1, "step_minor": 100}
    comes = with_coupon("comes", effect, pending=DELIVERED | {"days_max": 365, "at_last": "release"})
    document = RULE_SET.model_dump(mode="json")
    changes = {"version": 2, "effective_from": datetime(2026, 11, 4, tzinfo=UTC), "rules": [*document["rules"], comes]}
    await module_accrual.publish(RuleSet.model_validate(document | changes))
    receipt = await bought(module_accrual, anna, 10, "COMES", at=NOON + timedelta(days=4))

    await module_accrual.award(correction_of(receipt, next(numbers), 1200))
    assert await module_accrual.balance(anna) == Balances(available=12, pending=12)
    assert (await tell(client, receipt)).json()["result"] == "released"
    await module_accrual.award(correction_of(receipt, next(numbers), 1500, minutes_later=2))
    assert await module_accrual.balance(anna) == Balances(available=30)
    await module_accrual.award(correction_of(receipt, next(numbers), 500, minutes_later=3))
    assert await module_accrual.balance(anna) == Balances(available=10)
    await module_accrual.award(return_of(receipt, next(numbers), {1: 1000}))
    assert await module_accrual.balance(anna) == Balances()


async def test_the_ledger_bears_all_of_it_out(module_database: FreshDatabase) -> None:
    assert (await verified(module_database)).findings == ()
