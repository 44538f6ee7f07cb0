"""Two members turn out to be one: their receipts are in one window, whichever id they bear."""

from uuid import UUID

import pytest

from services.fraud.consumer import MemberHandler, wants_member
from services.fraud.domain.rule_set import ACTIVE_RULE_SET
from services.fraud.repository import windows
from services.fraud.use_cases.merge_members import merge_members
from services.fraud.use_cases.score_purchases import score_purchases
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.events.catalogue import MEMBERS
from shared.events.fraud import SignalRaised
from shared.events.members import MembersMerged
from tests.support.fraud import member, purchase
from tests.support.fraud_service import ZONE, Scoring, batch_of
from tests.support.interleaving import interleave
from tests.support.receipts import merged_into

ANNA, ANNE, CARLA = member(1), member(2), member(3)


async def told(scoring: Scoring, *events: MembersMerged) -> None:
    await MemberHandler(scoring.database).handle(batch_of(events, MEMBERS.topic))


async def window_of(scoring: Scoring, *members: UUID) -> list[int]:
    async def look(transaction: Transaction) -> list[int]:
        await windows.lock(transaction, members)
        states, _ = await windows.load(transaction, members)
        return [len(states[one].receipts) for one in members]

    return await scoring.database.run(look)


async def test_receipts_of_both_count_together_from_the_merge_on(scoring: Scoring) -> None:
    await scoring.take(purchase(1, of=2), purchase(2, of=2))
    assert await scoring.told() == []

    await told(scoring, merged_into(ANNA, ANNE))
    await scoring.take(purchase(3, of=1))

    assert await window_of(scoring, ANNA, ANNE) == [3, 0]
    signals = [event for event in await scoring.told() if isinstance(event, SignalRaised)]
    assert {event.data.member_id for event in signals} == {ANNA}


async def test_what_bears_the_old_id_is_scored_for_the_survivor_and_its_case_goes_over(scoring: Scoring) -> None:
    await scoring.take(*(purchase(number, of=2) for number in (1, 2, 3)))

    await told(scoring, merged_into(ANNA, ANNE))
    await scoring.take(purchase(4, of=2))

    assert await window_of(scoring, ANNA, ANNE) == [4, 0]
    async with scoring.database.transaction() as transaction:
        states, case_ids = await windows.load(transaction, [ANNA])
    assert len(states[ANNA].open_cases) == len(case_ids) == 1
    assert all(receipt.is_held for receipt in states[ANNA].receipts)


async def test_a_replay_and_an_old_pair_change_nothing(scoring: Scoring) -> None:
    merge = merged_into(ANNA, ANNE)
    await scoring.take(purchase(1, of=2))
    for _ in range(2):
        await told(scoring, merge)
    await told(scoring, merged_into(CARLA, ANNA, version=3))
    await told(scoring, merge)
    await scoring.take(purchase(2, of=2), purchase(3, of=1))
    assert await window_of(scoring, CARLA, ANNA, ANNE) == [3, 0, 0]


async def test_a_receipt_that_waits_for_the_merge_starts_again(scoring: Scoring) -> None:
    bought = purchase(1, of=2)

    async def score(transaction: Transaction) -> None:
        with pytest.raises(StartAgainError):
            await score_purchases(transaction, [bought], ACTIVE_RULE_SET, ZONE)

    await scoring.take(purchase(2, of=2))
    await interleave(scoring.database, lambda merging: merge_members(merging, [merged_into(ANNA, ANNE)]), score)
    await scoring.take(bought)
    assert await window_of(scoring, ANNA, ANNE) == [2, 0]


def test_merges_are_read() -> None:
    assert wants_member({"type": b"loyalty.members.merged.v1"})
    assert not wants_member({"type": b"loyalty.member.changed.v1"})
