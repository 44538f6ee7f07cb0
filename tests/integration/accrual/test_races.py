"""What can arrive in either order meets in one row: both orders of commit, interleaved on purpose.

Each test opens two transactions on two connections and lets the second run into the first one's lock before the first
commits. Whichever comes second must find the other.
"""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from services.accrual.use_cases.apply_fraud_holds import apply_fraud_holds, hold_of
from services.accrual.use_cases.load_facts import MeetingRowsNeededError
from services.accrual.use_cases.project_coalition import project_coalition
from services.accrual.use_cases.project_members import project_members
from shared.database import Database
from shared.events.fraud import PointsHoldData, PointsHoldReleased, PointsHoldRequested, PointsReleaseData
from shared.ids import new_id
from tests.support.accrual import Accrual, coalition_events
from tests.support.interleaving import BLOCKED_SECONDS_MAX, interleave
from tests.support.receipts import NOON, card, enrolled, linked, member, purchase, return_of

ANNA, CARLA = member(1), member(3)


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> Accrual:
    accrual = Accrual(database_of("accrual"))
    await accrual.begin()
    await accrual.members(enrolled(ANNA), linked(ANNA, card(1)))
    return accrual


async def test_a_card_is_registered_while_its_receipt_is_being_parked(accrual: Accrual) -> None:
    bought = purchase(1, 1000, identifier_hash=card(3))

    await interleave(
        accrual.database,
        lambda parking: accrual.award_in(parking, [bought]),
        lambda registering: project_members(registering, [enrolled(CARLA), linked(CARLA, card(3))]),
    )

    (released,) = await accrual.released()
    await accrual.award(released)
    assert (await accrual.balance(CARLA)).available == 10


async def test_a_receipt_comes_while_its_card_is_being_registered(accrual: Accrual) -> None:
    bought = purchase(1, 1000, identifier_hash=card(3))

    await interleave(
        accrual.database,
        lambda registering: project_members(registering, [enrolled(CARLA), linked(CARLA, card(3))]),
        lambda parking: accrual.award_in(parking, [bought]),
    )

    assert (await accrual.balance(CARLA)).available == 10


async def test_a_till_is_registered_while_its_receipt_is_being_parked(accrual: Accrual) -> None:
    bought = purchase(1, 1000, owner=ANNA, partner_id="pharmacy")

    await interleave(
        accrual.database,
        lambda parking: accrual.award_in(parking, [bought]),
        lambda registering: project_coalition(registering, coalition_events("pharmacy")),
    )

    (released,) = await accrual.released()
    report = await accrual.award(released)
    assert report.awarded == 1  # no rule gives points there, but it is decided


async def test_a_hold_comes_while_its_award_is_being_posted(accrual: Accrual) -> None:
    bought = purchase(1, 1000, owner=ANNA)

    await interleave(
        accrual.database,
        lambda awarding: accrual.award_in(awarding, [bought]),
        lambda holding: apply_fraud_holds(holding, [hold_of(_hold(bought.data.receipt_id, 1))]),
    )

    balance = await accrual.balance(ANNA)
    assert (balance.available, balance.pending) == (0, 10)


async def test_an_award_comes_while_its_hold_is_being_taken_in(accrual: Accrual) -> None:
    bought = purchase(1, 1000, owner=ANNA)

    await interleave(
        accrual.database,
        lambda holding: apply_fraud_holds(holding, [hold_of(_hold(bought.data.receipt_id, 1))]),
        lambda awarding: accrual.award_in(awarding, [bought]),
    )

    balance = await accrual.balance(ANNA)
    assert (balance.available, balance.pending) == (0, 10)


async def test_a_return_comes_while_its_purchase_is_being_awarded(accrual: Accrual) -> None:
    bought = purchase(1, 1000, owner=ANNA)

    await interleave(
        accrual.database,
        lambda awarding: accrual.award_in(awarding, [bought]),
        lambda returning: accrual.award_in(returning, [return_of(bought, 2, {1: 1000})]),
    )

    assert (await accrual.balance(ANNA)).available == 0


async def test_a_purchase_comes_while_its_return_is_being_parked(accrual: Accrual) -> None:
    bought = purchase(1, 1000, owner=ANNA)

    await interleave(
        accrual.database,
        lambda returning: accrual.award_in(returning, [return_of(bought, 2, {1: 1000})]),
        lambda awarding: accrual.award_in(awarding, [bought]),
    )

    (released,) = await accrual.released()
    await accrual.award(released)
    assert (await accrual.balance(ANNA)).available == 0


async def test_one_document_in_two_batches_at_once_is_awarded_once(accrual: Accrual) -> None:
    bought = purchase(1, 1000, owner=ANNA)

    await interleave(
        accrual.database,
        lambda one: accrual.award_in(one, [bought]),
        lambda other: accrual.award_in(other, [bought]),
    )

    assert (await accrual.balance(ANNA)).available == 10


async def test_two_batches_that_want_the_same_members_in_opposite_order_both_commit(accrual: Accrual) -> None:
    owners = [member(number) for number in range(10, 40)]
    await accrual.members(*(enrolled(owner) for owner in owners))
    rounds = 10

    async def play(first_number: int, order: list[int]) -> None:
        for number in range(rounds):
            events = [
                purchase(first_number + number * 100 + index, 1000, owner=owners[index], till_id="2") for index in order
            ]
            await accrual.database.run(partial(accrual.award_in, events=events))

    async with asyncio.timeout(BLOCKED_SECONDS_MAX * 3):
        await asyncio.gather(play(10_000, list(range(30))), play(20_000, list(reversed(range(30)))))

    for owner in owners:
        assert (await accrual.balance(owner)).available == 2 * rounds * 10


async def test_a_member_unknown_under_the_lock_restarts_with_its_meeting_row(accrual: Accrual) -> None:
    bought = purchase(1, 1000, owner=CARLA)

    with pytest.raises(MeetingRowsNeededError):
        async with accrual.database.transaction() as transaction:
            await accrual.award_in(transaction, [bought])
    report = await accrual.award(bought)
    await accrual.members(enrolled(CARLA))
    (released,) = await accrual.released()
    await accrual.award(released)

    assert report.parked == {"unknown_member": 1}
    assert (await accrual.balance(CARLA)).available == 10


async def test_a_release_gives_back_what_is_still_pending(accrual: Accrual) -> None:
    bought = purchase(1, 1000, owner=ANNA)
    await accrual.award(bought)

    async def apply(event: PointsHoldRequested | PointsHoldReleased) -> None:
        async with accrual.database.transaction() as transaction:
            await apply_fraud_holds(transaction, [hold_of(event)])

    await apply(_hold(bought.data.receipt_id, 1))
    await accrual.award(return_of(bought, 2, {1: 400}))
    await apply(_release(bought.data.receipt_id, 2))
    await apply(_hold(bought.data.receipt_id, 1))  # an old decision that comes again changes nothing

    balance = await accrual.balance(ANNA)
    assert (balance.available, balance.pending) == (6, 0)


def _hold(receipt_id: str, version: int) -> PointsHoldRequested:
    return PointsHoldRequested(
        id=new_id(),
        source="test",
        subject=receipt_id,
        time=NOON,
        data=PointsHoldData(
            member_id=ANNA,
            receipt_id=receipt_id,
            version=version,
            rule_code="INS_SWIPE",
            case_id=new_id(),
            ends_at=NOON.replace(year=NOON.year + 1),
        ),
    )


def _release(receipt_id: str, version: int) -> PointsHoldReleased:
    return PointsHoldReleased(
        id=new_id(),
        source="test",
        subject=receipt_id,
        time=NOON,
        data=PointsReleaseData(
            member_id=ANNA, receipt_id=receipt_id, version=version, case_id=new_id(), reason="case_closed"
        ),
    )
