"""Accrual honours partners' contracts: a used-up one refuses, a missing one lets wait, none at all changes nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from services.accrual.repository.parked import find_stranded
from services.accrual.use_cases.award_purchases import BatchReport
from services.accrual.use_cases.project_coalition import project_coalition
from services.accrual.use_cases.release_parked import release_what_funds_decide
from services.accrual.use_cases.sweep_parked import sweep_parked
from shared.database import Database
from shared.events.coalition import CoalitionEvent
from shared.events.points import PointsEarned, ReceiptRefused
from shared.events.purchases import PurchaseEvent, PurchaseRecorded, ReturnRecorded
from shared.ids import new_id
from tests.support.accrual import Accrual
from tests.support.partner_funds import contract, exposure
from tests.support.receipts import NOON, enrolled, member, purchase, return_of

ANNA = member(1)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> Accrual:
    accrual = Accrual(database_of("accrual"))
    await accrual.begin()
    await accrual.members(enrolled(ANNA))
    return accrual


async def hears(accrual: Accrual, *events: CoalitionEvent) -> int:
    """The coalition's topic is read, and then the memory of this process refreshed."""
    async with accrual.database.transaction() as transaction:
        released = await project_coalition(transaction, events)
    async with accrual.database.transaction() as transaction:
        await accrual.funds.refresh(transaction)
    return released


async def bought(accrual: Accrual, number: int, **how: object) -> BatchReport:
    return await accrual.award(purchase(number, 1000, owner=ANNA, **how))  # type: ignore[arg-type]


async def settles(accrual: Accrual) -> list[PurchaseEvent]:
    """What the worker does every second: the receipts that it publishes again."""
    while await accrual.database.run(release_what_funds_decide):
        pass
    return await accrual.released()


async def test_a_partner_without_a_contract_is_not_asked_for_one(accrual: Accrual) -> None:
    await hears(accrual, exposure("exhausted", 1))
    assert (await bought(accrual, 1)).awarded == 1


async def test_a_used_up_contract_refuses_by_name_until_it_is_paid_for(accrual: Accrual) -> None:
    await hears(accrual, contract(NOON - DAY), exposure("exhausted", 1))
    refused = await bought(accrual, 1)
    assert refused.refused == {"partner_funds_exhausted": 1}
    assert (await bought(accrual, 2, partner_id="fuel")).awarded == 1
    events = await accrual.drain()
    assert {type(event) for event in events} == {ReceiptRefused, PointsEarned}
    await hears(accrual, exposure("low", 2))
    assert (await bought(accrual, 3)).awarded == 1
    assert (await bought(accrual, 1)).duplicates == 1  # a refusal is for good


async def test_a_receipt_after_a_payment_that_was_not_heard_of_yet_earns_once(accrual: Accrual) -> None:
    a_minute_ago = datetime.now(UTC) - MINUTE
    await hears(accrual, contract(NOON - DAY), exposure("exhausted", 1, told_at=a_minute_ago))
    assert (await bought(accrual, 1)).parked == {"partner_funds_in_question": 1}  # what is known is older than it
    assert await settles(accrual) == []
    await hears(accrual, exposure("open", 2, told_at=a_minute_ago + MINUTE / 2))
    released = await settles(accrual)
    assert [(await accrual.award(event)).awarded for event in released] == [1]
    assert await settles(accrual) == []
    assert (await accrual.award(*released)).duplicates == 1
    assert (await accrual.balance(ANNA)).available == 10


async def test_what_waits_is_refused_once_it_is_said_of_a_later_time_that_nothing_is_left(accrual: Accrual) -> None:
    a_minute_ago = datetime.now(UTC) - MINUTE
    await hears(accrual, contract(NOON - DAY), exposure("exhausted", 1, told_at=a_minute_ago))
    await bought(accrual, 1)
    await hears(accrual, exposure("exhausted", 2, told_at=a_minute_ago + MINUTE / 2))
    assert await settles(accrual) == []  # said again, and of a time before the receipt all the same
    assert (await bought(accrual, 1)).parked == {"partner_funds_in_question": 1}  # the till posts again: it waits on
    async with accrual.database.transaction() as transaction:
        assert await sweep_parked(transaction) == 0  # not stranded: what it waits for is not there yet
    await hears(accrual, exposure("exhausted", 3, told_at=a_minute_ago + 2 * MINUTE))
    (released,) = await settles(accrual)
    assert (await accrual.award(released)).refused == {"partner_funds_exhausted": 1}
    await hears(accrual, exposure("open", 4))
    assert await settles(accrual) == []
    assert (await accrual.award(released)).duplicates == 1


async def test_what_is_released_too_early_waits_again(accrual: Accrual) -> None:
    a_minute_ago = datetime.now(UTC) - MINUTE
    await hears(accrual, contract(NOON - DAY), exposure("exhausted", 1, told_at=a_minute_ago))
    await bought(accrual, 1)
    async with accrual.database.transaction() as transaction:  # projected, and this process has not refreshed yet
        await project_coalition(transaction, [exposure("open", 2)])
    (released,) = await settles(accrual)
    assert (await accrual.award(released)).parked == {"partner_funds_in_question": 1}
    async with accrual.database.transaction() as transaction:
        await accrual.funds.refresh(transaction)
    (released,) = await settles(accrual)
    assert (await accrual.award(released)).awarded == 1


@pytest.mark.parametrize("standing", ["open", "low", "reserve"])
async def test_every_other_standing_goes_on(accrual: Accrual, standing: str) -> None:
    await hears(accrual, contract(NOON - DAY), exposure(standing, 1))  # type: ignore[arg-type]
    assert (await bought(accrual, 1)).awarded == 1


async def test_what_was_bought_before_the_first_contract_earns(accrual: Accrual) -> None:
    await hears(accrual, contract(NOON + DAY), exposure("exhausted", 1))
    assert (await bought(accrual, 1)).awarded == 1


async def test_a_return_is_taken_back_whatever_is_left(accrual: Accrual) -> None:
    earned = purchase(1, 1000, owner=ANNA)
    await hears(accrual, contract(NOON - DAY))
    await accrual.award(earned)
    await hears(accrual, exposure("exhausted", 1))
    assert (await accrual.award(return_of(earned, 2, {1: 1000}))).clawed_back == 1


async def test_a_receipt_that_no_contract_covers_waits_for_one_and_is_never_refused(accrual: Accrual) -> None:
    await hears(accrual, contract(NOON - 9 * DAY, NOON - DAY))
    parked = await bought(accrual, 1)
    assert (parked.parked, parked.refused) == ({"no_contract_in_force": 1}, {})
    elsewhere = contract(NOON + DAY, contract_id=new_id())
    assert await hears(accrual, elsewhere) == 0  # it covers another time: the receipt waits on
    assert await hears(accrual, contract(NOON - DAY, NOON + DAY, contract_id=new_id())) == 1
    released = [event for event in await accrual.drain() if isinstance(event, PurchaseRecorded | ReturnRecorded)]
    assert (await accrual.award(*released)).awarded == 1


async def test_a_contract_that_was_ended_before_it_began_binds_nobody(accrual: Accrual) -> None:
    await hears(accrual, contract(NOON - DAY, NOON - DAY))
    assert (await bought(accrual, 1)).awarded == 1


async def test_a_contract_and_a_receipt_that_lacks_it_meet_in_either_order(accrual: Accrual) -> None:
    await hears(accrual, contract(NOON - 9 * DAY, NOON - DAY))
    async with accrual.database.transaction() as transaction:  # projected, and this process has not refreshed yet
        await project_coalition(transaction, [contract(NOON - DAY, contract_id=new_id())])
    assert (await bought(accrual, 1)).awarded == 1  # the last word is spoken under the lock in which both meet


async def test_the_sweep_finds_a_receipt_whose_contract_was_missed(accrual: Accrual) -> None:
    await hears(accrual, contract(NOON - 9 * DAY, NOON - DAY))
    await bought(accrual, 1)
    async with accrual.database.transaction() as transaction:
        assert await find_stranded(transaction) == []
        await transaction.raw.execute("update partner_contracts set effective_until = null")
    async with accrual.database.transaction() as transaction:
        assert await sweep_parked(transaction) == 1


async def test_an_old_version_after_a_new_one_and_a_replay_change_nothing(accrual: Accrual) -> None:
    events: list[CoalitionEvent] = [
        contract(NOON - DAY, version=3),
        contract(NOON - DAY, NOON + DAY, version=4),
        exposure("exhausted", 7),
    ]
    await hears(accrual, *events)
    known = dict(accrual.funds.of_partner)
    await hears(accrual, exposure("open", 6), contract(NOON - DAY, version=3))
    for event in events:
        await hears(accrual, event)
    assert accrual.funds.of_partner == known
    assert (await bought(accrual, 1)).refused == {"partner_funds_exhausted": 1}
