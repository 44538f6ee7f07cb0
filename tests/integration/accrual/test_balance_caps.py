"""A cap on the balance: exact whatever the batches, under races, and with what returns give back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.accrual.consumer import PurchaseHandler
from services.accrual.domain.decisions import Awarded
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.trace import trace_in_words
from services.accrual.use_cases.balance_caps import BalanceMovedError
from services.accrual.use_cases.show_receipt import show_receipt
from shared.events.points import PointsEarned
from shared.events.purchases import PurchaseRecorded, ReturnRecorded
from shared.ids import new_id
from shared.kafka import PermanentError
from shared.kafka.batch_size import BatchSize
from shared.ledger import AdjustUp, LotTerms, post
from tests.support.accrual import PROGRAMME, Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.databases import FreshDatabase
from tests.support.interleaving import interleave
from tests.support.receipts import NOON, document, purchase, return_of

CAP = 100
RULE_SET = RuleSet.model_validate(
    {
        "version": 1,
        "effective_from": datetime(2020, 1, 1, tzinfo=UTC),
        "caps": [
            {"kind": "balance", "points_max": CAP},
            {"kind": "member", "points_max": 150, "window": {"kind": "calendar", "unit": "day"}},
        ],
        "rules": [
            {
                "id": "dollar",
                "name": "A point a dollar",
                "effect": {"kind": "points_per_amount", "points": 1, "step_minor": 100},
            },
        ],
    }
)
Document = PurchaseRecorded | ReturnRecorded
numbers = iter(range(1, 1_000))


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULE_SET, zone=PROGRAMME.zone) as accrual:
        yield accrual


@pytest.fixture
async def anna(accrual: Accrual) -> UUID:
    return await joined(accrual)


def bought(owner: UUID, dollars: int) -> PurchaseRecorded:
    return purchase(next(numbers), dollars * 100, owner=owner)


async def given(accrual: Accrual, event: PurchaseRecorded) -> int:
    """What the award's row says."""
    async with accrual.database.transaction() as transaction:
        key = document(event).natural_key
        return int(await transaction.raw.fetchval("select points from awards where natural_key = $1", key))


def gift(owner: UUID, points: int) -> AdjustUp:
    return AdjustUp(owner, "points", new_id().bytes, points, LotTerms("grocer", NOON.date(), None))


async def test_award_event_and_trace_say_what_was_really_given(accrual: Accrual, anna: UUID) -> None:
    first, second = bought(anna, 90), bought(anna, 30)
    await accrual.award(first)
    await accrual.award(second)

    assert (await given(accrual, second), (await accrual.balance(anna)).available) == (10, 100)
    [told] = [each.data for each in await accrual.drain() if isinstance(each, PointsEarned) and each.data.points == 10]
    assert [(rule.rule_id, rule.points) for rule in told.by_rule] == [("dollar", 10)]
    await accrual.award(return_of(first, next(numbers), {1: 1_000}))  # whatever has become of the balance since
    async with accrual.database.transaction() as transaction:
        story = await show_receipt(transaction, document(second).natural_key, accrual.rules)
    assert story.evaluation is not None
    words = " ".join(trace_in_words(story.evaluation, RULE_SET, "USD"))
    assert "the balance cap of 100 points left 10 of 30" in words


@pytest.mark.parametrize("is_one_batch", [True, False])
async def test_any_batching_gives_the_same(accrual: Accrual, anna: UUID, is_one_batch: bool) -> None:
    """90, then 10 of 30; 90 come back, 30 are given whole; and of 70 the day's cap leaves 20, since 130 were given."""
    first = bought(anna, 90)
    back = return_of(first, next(numbers), {1: 1_000})
    events: list[Document] = [first, bought(anna, 30), back, bought(anna, 30), bought(anna, 200)]
    for batch in [events] if is_one_batch else [[event] for event in events]:
        await accrual.award(*batch)

    purchases = [event for event in events if isinstance(event, PurchaseRecorded)]
    assert [await given(accrual, event) for event in purchases] == [90, 10, 30, 60]
    assert (await accrual.balance(anna)).available == 100


async def test_a_return_takes_no_more_back_than_was_given(accrual: Accrual, anna: UUID) -> None:
    """20 of 60 were given. While 40 dollars are kept they would have given as much; then it is taken back."""
    await accrual.award(bought(anna, 80))
    trimmed = bought(anna, 60)
    await accrual.award(trimmed)

    for quantity, left in ((333, 100), (500, 90), (167, 80)):
        await accrual.award(return_of(trimmed, next(numbers), {1: quantity}))
        assert (await accrual.balance(anna)).available == left


async def test_what_was_trimmed_has_used_nothing_of_other_caps(accrual: Accrual, anna: UUID) -> None:
    spent = bought(anna, 100)
    await accrual.award(spent, bought(anna, 100))
    await accrual.award(return_of(spent, next(numbers), {1: 1_000}))

    await accrual.award(bought(anna, 100))
    assert (await accrual.balance(anna)).available == 100


async def test_two_batches_of_one_member_at_once_keep_below_the_cap(accrual: Accrual, anna: UUID) -> None:
    await interleave(
        accrual.database,
        lambda first: accrual.award_in(first, [bought(anna, 70)]),
        lambda second: accrual.award_in(second, [bought(anna, 70)]),
    )
    assert (await accrual.balance(anna)).available == 100


async def test_what_others_give_meanwhile_takes_the_room_and_is_decided_again(accrual: Accrual, anna: UUID) -> None:
    """Whoever does not award locks no member: its points arrive between what was read and what is posted."""
    late = bought(anna, 70)
    await accrual.award(bought(anna, 1))

    with pytest.raises(BalanceMovedError):
        await interleave(
            accrual.database,
            lambda first: post(first, [gift(anna, 60)]),
            lambda second: accrual.award_in(second, [late]),
        )
    assert (await accrual.balance(anna)).available == 61
    await accrual.award(late)

    assert (await given(accrual, late), (await accrual.balance(anna)).available) == (39, 100)


async def test_a_balance_that_never_stands_still_is_met_by_halves(
    accrual: Accrual, anna: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it moves, a batch comes to its end, and nothing is dead-lettered for it."""

    async def moves(*_: object) -> None:
        raise BalanceMovedError

    monkeypatch.setattr("services.accrual.consumer.award_purchases", moves)
    handler = PurchaseHandler(accrual.database, PROGRAMME, accrual.rules, accrual.funds, BatchSize(2))
    with pytest.raises(PermanentError):
        await handler._award([document(bought(anna, 1)), document(bought(anna, 1))], [], frozenset())
    with pytest.raises(BalanceMovedError):  # alone: transient
        await handler._award([document(bought(anna, 1))], [], frozenset())


async def test_points_that_may_no_longer_be_spent_take_no_room(accrual: Accrual, anna: UUID) -> None:
    async with accrual.database.transaction() as transaction:
        old = LotTerms("grocer", datetime(2020, 1, 1, tzinfo=UTC).date(), datetime(2021, 1, 1, tzinfo=UTC).date())
        while_it_could = replace(transaction, zone=None)  # as if it were still the day
        await post(while_it_could, [AdjustUp(anna, "points", b"old", 80, old)])

    await accrual.award(bought(anna, 95))
    assert (await accrual.balance(anna)).available == 95


async def test_a_preview_says_what_would_fit(accrual: Accrual, anna: UUID) -> None:
    await accrual.award(bought(anna, 80))
    decision = await accrual.preview(bought(anna, 50))
    assert isinstance(decision, Awarded)
    assert decision.evaluation.points == 20
