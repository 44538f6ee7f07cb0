"""Receipts that come late: judged by their own time, told so, and no decision that was made is made again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.accrual.domain.rules import RuleSet
from services.accrual.domain.trace import trace_in_words
from services.accrual.use_cases.award_purchases import award_purchases
from services.accrual.use_cases.show_receipt import show_receipt
from shared.database import Database
from shared.events.purchases import PurchaseRecorded
from shared.ledger import HeldSince
from tests.support.accrual import PROGRAMME, Accrual
from tests.support.accrual_tiers import now_of, publish, shown
from tests.support.receipts import document, enrolled, member, merged_into, purchase
from tests.support.tiers import LADDER, TEN_DAYS, scheme

ANNA, ANNE = member(1), member(2)
MONTH = {"kind": "calendar", "unit": "month", "zone": "programme"}
RULE_SET = RuleSet.model_validate(
    {
        "version": 1,
        "effective_from": datetime(2020, 1, 1, tzinfo=UTC),
        "rules": [
            {
                "id": "dollar",
                "name": "A point a dollar",
                "effect": {"kind": "points_per_amount", "points": 1, "step_minor": 100},
                "caps": [{"kind": "member", "points_max": 100, "window": MONTH}],
            },
            {
                "id": "second",
                "name": "Second purchase of the month",
                "condition": {"when": {"kind": "nth", "nth": 2, "window": MONTH}},
                "effect": {"kind": "fixed_points", "points": 1000},
            },
        ],
    }
)
numbers = iter(range(1, 100))


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> Accrual:
    accrual = Accrual(database_of("accrual"))
    await accrual.begin(rule_set=RULE_SET)
    await accrual.members(enrolled(ANNA), enrolled(ANNE))
    return accrual


def bought(dollars: int, at: datetime, owner: UUID = ANNA) -> PurchaseRecorded:
    return purchase(next(numbers), dollars * 100, owner=owner, occurred_at=at)


async def words_of(accrual: Accrual, event: PurchaseRecorded) -> list[str]:
    async with accrual.database.transaction() as transaction:
        story = await show_receipt(transaction, document(event).natural_key, accrual.rules)
    assert story.evaluation is not None
    return trace_in_words(story.evaluation, RULE_SET, "USD")


async def test_a_late_receipt_never_changes_a_decision_and_says_that_it_was_decided_late(accrual: Accrual) -> None:
    noon = datetime(2026, 11, 10, 12, tzinfo=UTC)
    first, third, late = (bought(60, noon + timedelta(minutes=minutes)) for minutes in (0, 20, 10))
    assert [(await accrual.award(each)).points for each in (first, third)] == [60, 1040]
    before = await words_of(accrual, third)

    # It would have been the second of the month, had it come in time, and have had 40 points of the cap.
    assert (await accrual.award(late)).points == 0

    assert await words_of(accrual, third) == before
    assert not any("late" in sentence for sentence in before)
    told = await words_of(accrual, late)
    assert told[1] == (
        "Decided late: a receipt of 2026-11-10 12:20:00 UTC had been decided before. Windows and caps hold what was"
        " decided by then, and no decision is made again."
    )


async def test_within_a_batch_and_after_a_merge_too(accrual: Accrual) -> None:
    noon = datetime(2026, 11, 10, 12, tzinfo=UTC)
    first, late, of_other = bought(1, noon), bought(1, noon - timedelta(minutes=1)), bought(1, noon, ANNE)
    await accrual.award(of_other)
    assert (await words_of(accrual, of_other))[1].startswith("1.00 USD")
    await accrual.award(first, late)
    assert (await words_of(accrual, late))[1].startswith("Decided late")

    await accrual.members(merged_into(ANNE, ANNA))
    after = bought(1, noon - timedelta(seconds=30), ANNE)
    await accrual.award(after)
    assert (await words_of(accrual, after))[1].startswith("Decided late")


async def test_only_the_qualification_for_a_tier_is_counted_anew(accrual: Accrual) -> None:
    now = await now_of(accrual)
    await publish(accrual, scheme(effective_from=now - timedelta(days=5), tiers=LADDER, period=TEN_DAYS))
    in_time = bought(60, now - timedelta(hours=1))
    assert (await accrual.award(in_time)).points == 60
    assert await points_that_count(accrual) == 60

    late = bought(30, now - timedelta(days=1))
    given = (await accrual.award(late)).points

    assert given >= 30
    assert await points_that_count(accrual) == 60 + given
    assert (await words_of(accrual, in_time))[-1] == "In all: 60 points."


async def test_what_is_received_later_than_the_retro_window_earns_nothing(accrual: Accrual) -> None:
    now = await now_of(accrual)
    programme = replace(PROGRAMME, retro_window=timedelta(days=30))
    events = [bought(5, now - timedelta(days=days)) for days in (31, 29)]
    received = [
        event.model_copy(update={"data": event.data.model_copy(update={"received_at": now})}) for event in events
    ]

    async with accrual.database.transaction() as transaction:
        report = await award_purchases(
            transaction,
            [document(event) for event in received],
            programme,
            accrual.rules,
            accrual.known_tills,
            accrual.funds,
            HeldSince(),
        )

    assert (report.points, dict(report.refused)) == (5, {"received_too_late": 1})


async def points_that_count(accrual: Accrual) -> int:
    return (await shown(accrual, ANNA)).progress.collected.points
