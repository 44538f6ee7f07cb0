"""Caps, windows and budgets: exact whatever the batches, under races, and given back by returns."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import pytest

from services.accrual.domain.decisions import Awarded, Facts
from services.accrual.domain.rules import RuleSet, RuleSetHistory
from services.accrual.domain.tiers.scheme import TierSchemeHistory
from services.accrual.domain.trace import trace_in_words
from services.accrual.use_cases.decide_documents import UndecidableError
from services.accrual.use_cases.load_earning import load_earning
from services.accrual.use_cases.show_receipt import show_receipt
from shared.database import Transaction
from shared.events.purchases import PurchaseRecorded
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.databases import FreshDatabase
from tests.support.interleaving import interleave
from tests.support.receipts import (
    NOON,
    RULES,
    document,
    line,
    member,
    merged_into,
    purchase,
    return_of,
    void_of,
)

DAY, MONTH = ({"kind": "calendar", "unit": unit, "zone": "store"} for unit in ("day", "month"))
BUDGET = 70


def with_coupon(rule_id: str, code: str, points: int, also: dict[str, object] | None = None, **more: object) -> object:
    """Fixed points for a coupon, so that each test has a rule of its own."""
    has_coupon = {"kind": "coupon", "codes": [code]}
    when = has_coupon if also is None else {"kind": "all", "of": [has_coupon, also]}
    effect = {"kind": "fixed_points", "points": points}
    return {"id": rule_id, "name": rule_id, "condition": {"when": when}, "effect": effect} | more


SECOND_VISIT = {"kind": "nth", "nth": 2, "counted": "visits", "window": MONTH}
WELL_SPENT = {"kind": "spend", "at_least_minor": 5_000, "window": {"kind": "rolling", "days": 7}}
RULE_SET = RuleSet.model_validate(
    {
        "version": 1,
        "effective_from": datetime(2020, 1, 1, tzinfo=UTC),
        "campaigns": [
            {
                "id": "autumn",
                "name": "Autumn",
                "from_date": "2026-10-01",
                "until_date": "2026-12-31",
                "zone": "programme",
                "budget": {"points_max": BUDGET},
            }
        ],
        "rules": [
            {
                "id": "dollar",
                "name": "A point a dollar",
                "effect": {"kind": "points_per_amount", "points": 1, "step_minor": 100},
                "caps": [{"kind": "member", "points_max": 100, "window": DAY}],
            },
            with_coupon("autumn", "AUTUMN", 40, campaign="autumn"),
            with_coupon("welcome", "FIRST", 200, {"kind": "first_purchase"}),
            with_coupon("second", "VISIT", 30, SECOND_VISIT),
            with_coupon("spent", "SPENT", 25, WELL_SPENT),
            with_coupon("new", "NEW", 5, {"kind": "enrolled", "at_most_days": 30, "zone": "store"}),
        ],
    }
)
numbers = iter(range(1, 1_000))


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULE_SET) as accrual:
        yield accrual


@pytest.fixture
async def anna(accrual: Accrual) -> UUID:
    return await joined(accrual)


def bought(owner: UUID, dollars: int, *coupons: str, at: datetime = NOON) -> PurchaseRecorded:
    event = purchase(next(numbers), dollars * 100, owner=owner, occurred_at=at)
    return event.model_copy(update={"data": event.data.model_copy(update={"coupons": coupons})})


async def points(accrual: Accrual, owner: UUID) -> int:
    return (await accrual.balance(owner)).available


async def test_a_cap_of_a_day_holds_within_a_batch_and_from_batch_to_batch(accrual: Accrual, anna: UUID) -> None:
    await accrual.award(bought(anna, 60), bought(anna, 30))
    await accrual.award(bought(anna, 40))
    assert await points(accrual, anna) == 100

    # The store's day ends at midnight in New York: 03:59 UTC is still the same one, 05:00 the next.
    await accrual.award(bought(anna, 40, at=NOON + timedelta(hours=16, minutes=59)))
    assert await points(accrual, anna) == 100
    await accrual.award(bought(anna, 40, at=NOON + timedelta(hours=17)))
    assert await points(accrual, anna) == 140


async def test_a_receipt_that_comes_late_counts_in_its_own_day_and_changes_no_other(
    accrual: Accrual, anna: UUID
) -> None:
    await accrual.award(bought(anna, 100))
    await accrual.award(bought(anna, 70, at=NOON - timedelta(days=1)), bought(anna, 70, at=NOON - timedelta(days=1)))

    assert await points(accrual, anna) == 200


async def test_neither_money_that_settles_a_sale_nor_a_voided_sale_is_a_purchase(accrual: Accrual, anna: UUID) -> None:
    ahead = purchase(next(numbers), [line(1, 4_000, settlement="prepayment")], owner=anna)
    mistaken = bought(anna, 30)
    await accrual.award(ahead, mistaken)
    await accrual.award(void_of(mistaken, next(numbers)))

    await accrual.award(bought(anna, 10, "FIRST"))

    assert await points(accrual, anna) == 10 + 200  # the first purchase, all the same


async def test_a_return_gives_back_what_the_purchase_had_used(accrual: Accrual, anna: UUID) -> None:
    big = bought(anna, 150)
    await accrual.award(big)
    await accrual.award(return_of(big, next(numbers), {1: 500}))  # 75 dollars are kept, and 75 points
    assert await points(accrual, anna) == 75

    await accrual.award(bought(anna, 60))
    assert await points(accrual, anna) == 100


async def test_the_trace_of_a_capped_award_is_derived_again_from_its_facts(accrual: Accrual, anna: UUID) -> None:
    first, second = bought(anna, 80), bought(anna, 50)
    await accrual.award(first, second)
    await accrual.award(bought(anna, 50))  # whatever was used since

    async with accrual.database.transaction() as transaction:
        story = await show_receipt(transaction, document(second).natural_key, accrual.rules)
    assert story.evaluation is not None
    assert "the rule's cap of 100 points a day left 20 of 50" in " ".join(
        trace_in_words(story.evaluation, RULE_SET, "USD")
    )


async def test_the_last_points_of_a_budget_are_given_once_though_two_want_them(accrual: Accrual) -> None:
    bea, carla = await joined(accrual), await joined(accrual)

    await interleave(
        accrual.database,
        lambda first: accrual.award_in(first, [bought(bea, 1, "AUTUMN")]),
        lambda second: accrual.award_in(second, [bought(carla, 1, "AUTUMN")]),
    )

    assert await points(accrual, bea) == 41
    assert await points(accrual, carla) == 1 + BUDGET - 40  # granted 30 of the 40 that it had decided at first


async def test_what_a_return_gives_back_to_a_budget_can_be_given_again(accrual: Accrual) -> None:
    dora, ella = await joined(accrual), await joined(accrual)
    async with accrual.database.transaction() as transaction:
        await transaction.raw.execute("delete from campaign_budgets")
    taken = bought(dora, 1, "AUTUMN")
    await accrual.award(taken, bought(dora, 1, "AUTUMN"))
    await accrual.award(return_of(taken, next(numbers), {1: 1_000}))
    assert await points(accrual, dora) == 31

    await accrual.award(bought(ella, 1, "AUTUMN"), bought(ella, 1, "AUTUMN"))
    assert await points(accrual, ella) == 2 + BUDGET - 30


async def test_one_member_in_two_batches_at_once_keeps_within_the_cap(accrual: Accrual, anna: UUID) -> None:
    await interleave(
        accrual.database,
        lambda first: accrual.award_in(first, [bought(anna, 80)]),
        lambda second: accrual.award_in(second, [bought(anna, 80)]),
    )

    assert await points(accrual, anna) == 100


async def test_the_same_receipt_again_uses_nothing(accrual: Accrual, anna: UUID) -> None:
    once = bought(anna, 60)
    await accrual.award(once, once)
    await accrual.award(once)
    await accrual.award(bought(anna, 30))

    assert await points(accrual, anna) == 90


async def test_windows_count_what_was_bought_before_in_the_same_batch_too(accrual: Accrual, anna: UUID) -> None:
    next_day = NOON + timedelta(days=1)
    await accrual.award(
        bought(anna, 1, "FIRST", "VISIT", "SPENT"),  # the first purchase: 1 + 200
        bought(anna, 1, "FIRST", "VISIT"),  # the same visit, and not the first purchase: 1
        bought(anna, 1, "VISIT", at=next_day),  # the second visit: 1 + 30
    )
    assert await points(accrual, anna) == 233

    # The third purchase of the second visit is none of its own; 2 + 1 + 46 + 1 dollars are 50: 46 + 1 + 25
    await accrual.award(bought(anna, 46, "VISIT", at=next_day))
    await accrual.award(bought(anna, 1, "SPENT", at=next_day))
    assert await points(accrual, anna) == 233 + 46 + 1 + 25


async def test_a_member_who_may_have_bought_before_anything_was_counted_is_not_welcomed(accrual: Accrual) -> None:
    old = member(next(numbers))
    async with accrual.database.transaction() as transaction:
        await transaction.raw.execute("insert into members (member_id, status, version) values ($1, 'active', 1)", old)

    await accrual.award(bought(old, 1, "FIRST", "NEW"))

    assert await points(accrual, old) == 1


async def test_how_long_ago_a_member_joined(accrual: Accrual, anna: UUID) -> None:
    await accrual.award(bought(anna, 1, "NEW"), bought(anna, 1, "NEW", at=NOON + timedelta(days=31)))

    assert await points(accrual, anna) == 7


async def test_after_a_merge_both_have_used_the_survivors_cap(accrual: Accrual, anna: UUID) -> None:
    other = await joined(accrual)
    await accrual.award(bought(anna, 60), bought(other, 30))
    await accrual.members(merged_into(anna, other))
    await accrual.award(bought(anna, 50))

    assert await points(accrual, anna) == 100


async def test_a_receipt_whose_facts_cannot_be_had_is_set_aside_alone(accrual: Accrual, anna: UUID) -> None:
    async with accrual.database.transaction() as transaction:
        await transaction.raw.execute("update stores set time_zone = 'Nowhere/Else' where partner_id = 'fuel'")
    elsewhere = purchase(next(numbers), 1_000, owner=anna, partner_id="fuel")

    with pytest.raises(UndecidableError):  # permanent: the consumer halves the batch until it is alone
        await accrual.award(bought(anna, 1), elsewhere)
    await accrual.award(bought(anna, 1))

    assert await points(accrual, anna) == 1


async def test_a_preview_knows_what_was_used_and_uses_nothing(accrual: Accrual, anna: UUID) -> None:
    await accrual.award(bought(anna, 80))
    asked = bought(anna, 50)
    for _ in range(2):
        decision = await accrual.preview(asked)
        assert isinstance(decision, Awarded)
        assert decision.evaluation.points == 20


async def test_rules_that_ask_for_nothing_cost_no_statement() -> None:
    facts = Facts({}, {}, set(), {}, {}, {}, {}, RuleSetHistory([RULES]), NOON, timedelta(days=30), UTC)
    nothing_to_ask = cast("Transaction", None)

    earning, told = await load_earning(nothing_to_ask, [], facts, TierSchemeHistory(), point_type="points")

    assert (earning, told) == (None, [])
