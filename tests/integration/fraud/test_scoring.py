"""Batches of purchases on a real database: what is decided, held and told, and that nothing counts twice."""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from services.fraud.consumer import wants_purchase
from services.fraud.domain.receipts import ReceiptFact, receipt_of
from services.fraud.domain.rule_set import ACTIVE_RULE_SET, RuleSet
from services.fraud.repository import rule_sets, windows
from services.fraud.repository.rule_sets import RuleSetChangedError
from services.fraud.use_cases.score_purchases import score_purchases
from shared.database import Database
from shared.events.catalogue import PURCHASES
from shared.events.fraud import CaseOpened, PointsHoldRequested, SignalRaised
from shared.events.purchases import PurchaseRecorded, ReturnData, ReturnRecorded
from shared.ids import new_id
from shared.kafka import PermanentError
from tests.support.fraud import (
    ANNA,
    BERT,
    MORNING,
    changed,
    final_decisions,
    member,
    play,
    purchase,
    receipt_id,
    receipt_key,
    till,
)
from tests.support.fraud_service import ZONE, Scoring, be_patient, cut
from tests.support.receipts import correction_of
from tests.support.until import until

SWIPES = (1, 2, 3)
HELD_HOURS = timedelta(hours=ACTIVE_RULE_SET.hold_hours)


async def test_swipes_are_held_and_told_in_one_commit(scoring: Scoring) -> None:
    cause = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await scoring.take(*(purchase(number, traceparent=cause) for number in SWIPES))

    opened, signal, *holds = await scoring.told()
    assert isinstance(opened, CaseOpened)
    assert isinstance(signal, SignalRaised)
    assert opened.data.receipt_ids == tuple(receipt_id(number) for number in SWIPES)
    assert (signal.data.observed, signal.data.threshold, signal.data.window) == (3, 3, "shift")
    for hold, number in zip(holds, SWIPES, strict=True):
        assert isinstance(hold, PointsHoldRequested)
        assert hold.data.receipt_id == receipt_id(number)
        assert (hold.data.version, hold.data.case_id) == (1, opened.data.case_id)
        assert hold.data.ends_at == hold.time + HELD_HOURS
        assert hold.data.member_id == member(1)
    assert {str(event.traceparent)[3:35] for event in (opened, signal, *holds)} == {cause[3:35]}


async def test_a_batch_that_comes_again_after_its_commit_changes_nothing(scoring: Scoring) -> None:
    purchases = [purchase(number) for number in SWIPES]
    await scoring.take(*purchases)
    left, told = await scoring.left(), await scoring.told()

    await scoring.take(*purchases)

    assert await scoring.left() == left
    assert await scoring.told() == told


async def test_a_parked_receipt_counts_when_its_member_is_known_and_then_once(scoring: Scoring) -> None:
    """Its release is another event, with another id, of the same natural key."""
    await scoring.take(purchase(1, of=None), purchase(2), purchase(3))
    assert not await scoring.told()

    await scoring.take(purchase(1))
    assert len(await scoring.told()) == 5
    await scoring.take(purchase(1))
    await scoring.take(purchase(1, of=2))  # nor does a document that names another member under the same key

    assert len(await scoring.told()) == 5
    assert len(await scoring.decided()) == 3


async def test_returns_corrections_and_training_receipts_are_left_out(scoring: Scoring) -> None:
    sold = purchase(1)
    data = ReturnData.model_validate(sold.data.model_dump() | {"lines": ()})
    returned = ReturnRecorded(id=new_id(), source="accrual", subject=sold.subject, time=MORNING, data=data)

    await scoring.take(returned, changed(purchase(2), is_training=True), correction_of(sold, 3, 900))

    assert not await scoring.decided()
    assert not wants_purchase({"type": b"loyalty.receipt.corrected.v1"})


async def test_a_store_needs_two_tills_in_force_before_the_share_counts(scoring: Scoring) -> None:
    async def last_outcome(offset: int) -> tuple[str, tuple[int, ...]]:
        days = [purchase(offset + day, at=MORNING + timedelta(days=40 * offset + day)) for day in range(9)]
        same_shift = purchase(offset + 9, at=MORNING + timedelta(days=40 * offset + 8, hours=1))
        await scoring.take(*days, same_shift)
        return (await scoring.decided())[receipt_key(offset + 9)][1]["INS_SWIPE"]

    assert await last_outcome(0) == ("insufficient", (2, 0, 0, 0, 0))  # nothing is known of the store
    await scoring.register(till("t1"), till("t2"), till("t2", version=2, is_revoked=True), till("t2"))
    assert await last_outcome(10) == ("no_hit", (2, 0, 0, 0, 0))
    await scoring.register(till("t2", version=3))
    assert await last_outcome(20) == ("hit", (2, 10, 100, 2, 0))


def _random_stream(chance: random.Random) -> list[PurchaseRecorded]:
    """Receipts in any order, a third of them twice; at the end a few that make windows forget the rest."""
    stream = [
        purchase(
            number,
            of=chance.randint(1, 4),
            by=chance.choice([ANNA, ANNA, BERT, None]),
            at=MORNING + timedelta(days=chance.choice([0, 0, 1, 20, 36]), hours=chance.randint(0, 5)),
            shift=chance.choice([1, 1, 2]),
        )
        for number in range(90)
    ]
    stream += chance.sample(stream, 30)
    chance.shuffle(stream)
    return [*stream, *(purchase(90 + of, of=of, at=MORNING + timedelta(days=80)) for of in (1, 2))]


@pytest.mark.parametrize("seed", range(3))
async def test_any_batches_leave_what_the_pure_core_decides(scoring: Scoring, seed: int) -> None:
    chance = random.Random(seed)
    stream = _random_stream(chance)
    await scoring.register(till("t1"), till("t2"))
    for batch in cut(stream, chance):
        await scoring.take(*batch)

    states, effects = play(
        ReceiptFact(one.data.member_id, receipt_of(one.data, ZONE, 2)) for one in stream if one.data.member_id
    )
    left = await scoring.left()
    assert await scoring.decided() == final_decisions(effects)
    assert {(row[0], row[1]) for row in left["signals"]} == {
        (signal.receipt.receipt_key, signal.rule_code) for signal in effects.signals
    }
    assert {(row[0], row[3]) for row in left["holds"]} == {
        (hold.receipt.receipt_key, hold.opened_by) for hold in effects.holds
    }
    assert len(effects.holds) > 10
    async with scoring.database.transaction() as transaction:
        assert (await windows.load(transaction, states))[0] == states


async def test_two_workers_that_take_the_same_members_in_other_orders_count_everything_once(
    scoring: Scoring, database_of: Callable[[str], Database]
) -> None:
    other = Scoring(database_of("fraud"))
    stream = [purchase(number, of=number % 7, by=f"cashier {number}") for number in range(140)]

    async def take_all(worker: Scoring, purchases: list[PurchaseRecorded]) -> None:
        for begin in range(0, len(purchases), 20):
            await worker.take(*purchases[begin : begin + 20])

    await asyncio.gather(take_all(scoring, stream), take_all(other, stream[::-1]))

    assert len(await scoring.decided()) == 140
    assert len((await scoring.left())["windows"]) == 140


@pytest.mark.parametrize("of", [1, 2], ids=["the same event", "the same receipt under another member"])
async def test_a_receipt_that_another_worker_is_deciding_is_decided_once(scoring: Scoring, of: int) -> None:
    async with scoring.database.transaction() as deciding:
        await be_patient(deciding)
        await score_purchases(deciding, [purchase(1), purchase(2)], ACTIVE_RULE_SET, ZONE)
        second = asyncio.create_task(scoring.take(purchase(2, of=of), purchase(3)))
        await until(scoring.waits_for_a_lock)

    await second
    assert len(await scoring.decided()) == 3
    assert (await scoring.decided())[receipt_key(3)][0] == "hold"
    assert len((await scoring.left())["windows"]) == 3


async def test_one_implausible_purchase_is_permanent_and_leaves_nothing_of_its_batch(scoring: Scoring) -> None:
    poison = changed(purchase(2), partner_id="fuel")
    with pytest.raises(PermanentError):
        await scoring.take(purchase(1), poison)
    assert not await scoring.decided()


async def test_how_far_the_topic_was_read_is_saved_with_the_batch(scoring: Scoring) -> None:
    await scoring.take(purchase(1), purchase(2))
    async with scoring.database.transaction() as transaction:
        rows = await transaction.raw.fetch("select topic, partition, next_offset from read_to")
    assert [tuple(row) for row in rows] == [(PURCHASES.topic, 0, 2)]


async def test_a_published_rule_set_cannot_change_under_its_version(scoring: Scoring) -> None:
    await scoring.database.run(lambda transaction: rule_sets.publish(transaction, ACTIVE_RULE_SET))
    await scoring.database.run(lambda transaction: rule_sets.publish(transaction, ACTIVE_RULE_SET))
    with pytest.raises(RuleSetChangedError):
        await scoring.database.run(
            lambda transaction: rule_sets.publish(transaction, RuleSet(version=ACTIVE_RULE_SET.version, hold_hours=1))
        )
