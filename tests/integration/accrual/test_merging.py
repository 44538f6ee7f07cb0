"""Two members turn out to be one: their points are one, and what bears the old name goes to the survivor."""

from collections.abc import Callable
from functools import partial

import pytest

from services.accrual.repository import outcomes, parked
from services.accrual.use_cases.apply_fraud_holds import apply_fraud_holds, end_due_holds, hold_of
from services.accrual.use_cases.load_facts import MeetingRowsNeededError
from services.accrual.use_cases.project_members import one_merge_each, project_members
from shared.database import Database, Transaction
from shared.database.errors import StartAgainError
from shared.events.fraud import PointsHoldData, PointsHoldRequested
from shared.events.members import MemberEvent
from shared.events.points import PointsClawedBack, PointsEarned, PointsPending
from shared.ids import new_id
from shared.ledger import Balances, SpendLate, find_survivors, post
from shared.receipt_key import natural_key_of
from tests.support.accrual import Accrual
from tests.support.databases import FreshDatabase
from tests.support.interleaving import interleave
from tests.support.ledger_database import verified
from tests.support.member_events import status_changed
from tests.support.receipts import NOON, card, enrolled, linked, member, merged_into, purchase, return_of

ANNA, ANNE, CARLA, STRANGER = member(1), member(2), member(3), member(9)
MERGE = merged_into(ANNA, ANNE)


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> Accrual:
    accrual = Accrual(database_of("accrual"))
    await accrual.begin()
    for number, owner in enumerate((ANNA, ANNE, CARLA), 1):
        await accrual.members(enrolled(owner), linked(owner, card(number)))
    return accrual


async def test_the_survivor_has_the_points_of_both_and_the_old_card_earns_for_it(accrual: Accrual) -> None:
    await accrual.award(purchase(1, 1000, owner=ANNA), purchase(2, 2000, owner=ANNE))

    await accrual.members(MERGE)
    await accrual.award(purchase(3, 500, owner=ANNE))  # the door had not heard of it
    await accrual.award(purchase(4, 500, identifier_hash=card(2)))  # nor had the registration of the card moved

    assert await accrual.balance(ANNE) == await accrual.balance(ANNA) == Balances(available=40)
    earned = [event for event in await accrual.drain() if isinstance(event, PointsEarned)]
    assert [event.data.member_id for event in earned[-2:]] == [ANNA, ANNA]


async def test_a_replay_and_an_old_version_change_nothing(accrual: Accrual, fresh_database: FreshDatabase) -> None:
    await accrual.award(purchase(1, 1000, owner=ANNE))
    history: list[MemberEvent] = [enrolled(ANNA), enrolled(ANNE), linked(ANNE, card(2)), MERGE]

    await accrual.members(*history)
    await accrual.members(*history)
    await accrual.members(merged_into(CARLA, ANNA, version=3))
    await accrual.members(MERGE)  # an old pair after a newer one

    assert await accrual.balance(ANNE) == await accrual.balance(CARLA) == Balances(available=10)
    async with accrual.database.transaction() as transaction:
        statuses = await transaction.raw.fetch("select member_id, status from members order by member_id")
        survivors = await find_survivors(transaction, [ANNA, ANNE, CARLA])
    assert [row["status"] for row in statuses] == ["merged", "merged", "active"]
    assert survivors == {ANNA: CARLA, ANNE: CARLA}
    await accrual.database.close()
    assert (await verified(fresh_database)).findings == ()


async def test_a_return_and_a_hold_of_an_old_award_reach_the_survivor(accrual: Accrual) -> None:
    bought = purchase(1, 1000, owner=ANNE)
    await accrual.award(bought)
    await accrual.members(MERGE)

    await accrual.database.run(partial(apply_fraud_holds, decisions=[hold_of(_hold(bought.data.receipt_id))]))
    assert await accrual.balance(ANNA) == Balances(pending=10)
    await accrual.award(return_of(bought, 2, {1: 400}))
    assert await accrual.balance(ANNA) == Balances(pending=6)
    async with accrual.database.transaction() as transaction:
        await transaction.raw.execute("update fraud_holds set ends_at = now()")
    assert await accrual.database.run(end_due_holds) == 1
    assert await accrual.balance(ANNA) == Balances(available=6)

    told = [event for event in await accrual.drain() if isinstance(event, PointsPending | PointsClawedBack)]
    assert [event.data.member_id for event in told] == [ANNA, ANNA]
    async with accrual.database.transaction() as transaction:
        story = await outcomes.find_award(transaction, natural_key_of(bought.data.receipt_id))
        waited_for = await outcomes.load_outcomes(transaction, [natural_key_of(bought.data.receipt_id)])
    assert story is not None
    assert story.owner_id == ANNA
    assert [outcome.available for outcome in waited_for.values()] == [6]


async def test_a_suspended_award_and_a_debt_go_to_the_survivor(accrual: Accrual) -> None:
    held, returned = purchase(1, 1000, owner=ANNE), purchase(2, 2000, owner=ANNE)
    await accrual.award(held, returned, purchase(3, 500, owner=ANNA))
    await accrual.database.run(partial(apply_fraud_holds, decisions=[hold_of(_hold(held.data.receipt_id))]))
    async with accrual.database.transaction() as transaction:  # so that the return becomes debt
        await post(transaction, [SpendLate(ANNE, "points", b"tender", 20, "fuel")])
    await accrual.award(return_of(returned, 4, {1: 1000}))
    assert (await accrual.balance(ANNE)).debt == 20

    await accrual.members(MERGE)

    assert await accrual.balance(ANNA) == Balances(pending=10, debt=15)


async def test_what_was_parked_for_the_merged_one_is_decided_for_the_survivor(accrual: Accrual) -> None:
    bought = purchase(1, 1000, owner=STRANGER)
    report = await accrual.award(bought)
    assert report.parked == {"unknown_member": 1}

    await accrual.members(merged_into(ANNA, STRANGER))  # whose enrolment has not come yet

    (released,) = await accrual.released()
    await accrual.award(released)
    await accrual.members(enrolled(STRANGER))  # comes late, and changes nothing
    await accrual.award(purchase(2, 1000, owner=STRANGER))
    assert await accrual.balance(ANNA) == Balances(available=20)
    async with accrual.database.transaction() as transaction:
        assert await parked.find_stranded(transaction) == []


async def test_what_was_parked_goes_also_where_the_merged_status_is_told_in_the_same_batch(accrual: Accrual) -> None:
    await accrual.members(status_changed(ANNE, "merged"))
    assert (await accrual.award(purchase(1, 1000, owner=ANNE))).parked == {"member_merged": 1}

    await accrual.members(status_changed(ANNE, "merged"), MERGE)  # as the registry tells them again

    await accrual.award(*await accrual.released())
    assert await accrual.balance(ANNA) == Balances(available=10)


async def test_an_award_comes_while_the_merge_runs(accrual: Accrual) -> None:
    bought = purchase(1, 1000, owner=ANNE)

    async def award(transaction: Transaction) -> None:
        with pytest.raises(MeetingRowsNeededError) as needed:
            await accrual.award_in(transaction, [bought])
        assert needed.value.keys == {parked.waits_for_member(ANNE)}

    await interleave(accrual.database, lambda merging: project_members(merging, [MERGE]), award)
    await accrual.award(bought)

    assert await accrual.balance(ANNA) == Balances(available=10)


async def test_a_merge_comes_while_an_award_is_being_posted(accrual: Accrual) -> None:
    await interleave(
        accrual.database,
        lambda awarding: accrual.award_in(awarding, [purchase(1, 1000, owner=ANNE)]),
        lambda merging: project_members(merging, [MERGE]),
    )

    assert await accrual.balance(ANNA) == Balances(available=10)


async def test_a_fraud_hold_that_waits_for_the_merge_starts_again(accrual: Accrual) -> None:
    bought = purchase(1, 1000, owner=ANNE)
    await accrual.award(bought)
    hold = partial(apply_fraud_holds, decisions=[hold_of(_hold(bought.data.receipt_id))])

    async def apply(transaction: Transaction) -> None:
        with pytest.raises(StartAgainError):
            await hold(transaction)

    await interleave(accrual.database, lambda merging: project_members(merging, [MERGE]), apply)
    await accrual.database.run(hold)

    assert await accrual.balance(ANNA) == Balances(pending=10)


def test_each_merge_ends_a_transaction() -> None:
    other = merged_into(CARLA, ANNA, version=3)
    history: list[MemberEvent] = [enrolled(ANNA), MERGE, linked(ANNA, card(2)), enrolled(CARLA), other]
    assert list(one_merge_each(history)) == [history[:2], history[2:]]
    assert list(one_merge_each(history[:3])) == [history[:2], history[2:3]]
    assert list(one_merge_each([])) == [[]]  # positions are to be written all the same


def _hold(receipt_id: str) -> PointsHoldRequested:
    return PointsHoldRequested(
        id=new_id(),
        source="test",
        subject=receipt_id,
        time=NOON,
        data=PointsHoldData(
            member_id=ANNE,
            receipt_id=receipt_id,
            version=1,
            rule_code="INS_SWIPE",
            case_id=new_id(),
            ends_at=NOON.replace(year=NOON.year + 1),
        ),
    )
