"""Tiers beside real awards: what is counted, what changes, what is told, and what comes twice or late."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from services.accrual.domain.decisions import Awarded
from services.accrual.domain.rules import Condition, Multiplier, Rule
from services.accrual.domain.rules.predicates_of_member import TierIs
from services.accrual.domain.tiers.scheme import TierScheme
from services.accrual.use_cases.grant_tier import grant_tier, revoke_tier_grant
from services.accrual.use_cases.load_tiers import load_tiers_at, read_tiers_at
from services.accrual.use_cases.show_receipt import show_receipt
from shared.database import Database
from shared.events.envelope import Event
from shared.events.points import PointsEarned
from shared.events.purchases import PurchaseEvent, PurchaseRecorded
from shared.events.tiers import TierChanged
from shared.receipt_key import natural_key_of
from tests.support.accrual import Accrual, published_before
from tests.support.accrual_tiers import advance, grade_all, kept_rows, now_of, publish, shown, tier_changes, tier_of
from tests.support.databases import FreshDatabase
from tests.support.member_events import erased
from tests.support.receipts import (
    RULES,
    changed_rules,
    enrolled,
    line,
    member,
    merged_into,
    purchase,
    return_of,
    void_of,
)
from tests.support.tiers import TEN_DAYS, scheme

ANNA, ANNE, BERT = member(1), member(2), member(3)
SILVER_MINOR, GOLD_MINOR = 10_000, 50_000  # a point for each 100


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> Accrual:
    accrual = Accrual(database_of("accrual"))
    await accrual.begin()
    await accrual.members(enrolled(ANNA), enrolled(ANNE), enrolled(BERT))
    return accrual


def rolling(**changes: object) -> TierScheme:
    return scheme(period=TEN_DAYS, **changes)


async def bought(accrual: Accrual, number: int, amount_minor: int, days_ago: int = 0) -> PurchaseRecorded:
    """A receipt of Anna's that is to be awarded."""
    occurred_at = await now_of(accrual) - timedelta(days=days_ago)
    return purchase(number, amount_minor, owner=ANNA, occurred_at=occurred_at)


async def test_a_tier_is_reached_told_after_the_award_and_shown(accrual: Accrual) -> None:
    await publish(accrual, rolling())
    await accrual.award(await bought(accrual, 1, SILVER_MINOR - 100))
    assert await tier_of(accrual, ANNA) == "basic"

    await accrual.award(await bought(accrual, 2, 100))

    told = [event for event in await accrual.drain() if isinstance(event, PointsEarned | TierChanged)]
    assert [type(event) for event in told] == [PointsEarned, PointsEarned, TierChanged]
    (change,) = [event.data for event in told if isinstance(event, TierChanged)]
    assert (change.old_tier, change.new_tier, change.reason, change.version) == ("basic", "silver", "qualified", 1)
    seen = await shown(accrual, ANNA)
    assert (seen.tier.code, seen.until, seen.standing.since) == ("silver", change.until, change.effective_at)
    assert seen.progress.collected == (100, SILVER_MINOR, 2)
    assert seen.progress.to_next is not None
    assert [(need.measure, need.missing) for need in seen.progress.to_next.needs] == [("points", 400)]


async def test_no_statement_and_nothing_kept_where_there_are_no_tiers(
    accrual: Accrual, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        raise AssertionError("there is no scheme")

    monkeypatch.setattr("services.accrual.use_cases.award_purchases.count_for_tiers", never)

    await accrual.award(await bought(accrual, 1, GOLD_MINOR))

    assert await kept_rows(accrual, "tier_days") == []
    assert await grade_all(accrual) == 0


async def test_a_replay_of_everything_changes_nothing(accrual: Accrual) -> None:
    await publish(accrual, rolling())
    first, second = await bought(accrual, 1, SILVER_MINOR), await bought(accrual, 2, GOLD_MINOR)
    back = return_of(first, 3, {1: 400})
    history: list[PurchaseEvent] = [first, second, back]
    await accrual.award(*history)
    before = [await kept_rows(accrual, table) for table in ("tier_days", "tier_standings", "tier_changes")]
    await accrual.drain()

    await accrual.award(*history)
    for event in reversed(history):
        await accrual.award(event)

    assert [await kept_rows(accrual, table) for table in ("tier_days", "tier_standings", "tier_changes")] == before
    assert await tier_changes(accrual) == []


async def test_partial_returns_take_back_their_part_and_the_last_one_the_visit(accrual: Accrual) -> None:
    await publish(accrual, rolling(on_reversal="regrade"))
    occurred_at = await now_of(accrual) - timedelta(days=3)
    goods = purchase(1, [line(1, 30_000), line(2, 25_000)], owner=ANNA, occurred_at=occurred_at)
    await accrual.award(goods)
    assert await tier_of(accrual, ANNA) == "gold"

    await accrual.award(return_of(goods, 2, {1: 500}), return_of(goods, 3, {1: 500}))

    assert (await shown(accrual, ANNA)).progress.collected == (250, 25_000, 1)
    assert await tier_of(accrual, ANNA) == "silver"
    await accrual.award(return_of(goods, 4, {2: 1000}))
    (day,) = await kept_rows(accrual, "tier_days")
    assert (day["points"], day["spend_minor"], day["visits"]) == (0, 0, 0)
    changes = [(each.new_tier, each.reason) for each in await tier_changes(accrual)]
    assert changes == [("gold", "qualified"), ("silver", "reversed"), ("basic", "reversed")]


async def test_a_void_takes_the_visit_and_what_only_settles_is_none(accrual: Accrual) -> None:
    await publish(accrual, rolling(on_reversal="regrade"))
    goods = await bought(accrual, 1, GOLD_MINOR)
    ahead = purchase(2, [line(1, 500, settlement="prepayment")], owner=ANNA, occurred_at=goods.data.occurred_at)

    await accrual.award(goods, return_of(goods, 3, {1: 400}), ahead)
    assert (await shown(accrual, ANNA)).progress.collected[2] == 1
    await accrual.award(void_of(goods, 4))

    assert (await shown(accrual, ANNA)).progress.collected == (0, 0, 0)


async def test_a_purchase_and_its_return_in_one_batch_are_as_one_after_the_other(accrual: Accrual) -> None:
    await publish(accrual, rolling(on_reversal="regrade"))
    goods = await bought(accrual, 1, GOLD_MINOR)

    await accrual.award(goods, return_of(goods, 2, {1: 1000}))

    assert (await shown(accrual, ANNA)).progress.collected == (0, 0, 0)
    assert [(each.new_tier, each.reason) for each in await tier_changes(accrual)] == [
        ("gold", "qualified"),
        ("basic", "reversed"),
    ]


async def test_what_occurred_before_the_scheme_does_not_count_nor_does_its_return(accrual: Accrual) -> None:
    await publish(accrual, rolling(effective_from=await now_of(accrual) - timedelta(days=1)))
    early = await bought(accrual, 1, GOLD_MINOR, days_ago=2)

    await accrual.award(early)
    await accrual.award(return_of(early, 2, {1: 1000}))

    assert await kept_rows(accrual, "tier_days") == []


async def test_time_takes_a_tier_page_by_page_and_at_the_moment_when_it_ended(
    accrual: Accrual, fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.accrual.use_cases.grade_due_tiers.MEMBERS_PER_PAGE_MAX", 2)
    await publish(accrual, rolling(grace_days=5, downgrade="one_step"))
    now = await now_of(accrual)
    buyers = [(ANNA, GOLD_MINOR), (ANNE, SILVER_MINOR), (BERT, SILVER_MINOR)]
    events = [purchase(n, amount, owner=owner, occurred_at=now) for n, (owner, amount) in enumerate(buyers, 1)]
    await accrual.award(*events)
    promised = {change.member_id: change.until for change in await tier_changes(accrual)}
    assert await grade_all(accrual) == 0

    await advance(fresh_database, timedelta(days=60))  # an outage through several ends
    assert await tier_of(accrual, ANNA) == "basic"  # whoever looks sees it at once
    assert await grade_all(accrual) == 3
    assert await grade_all(accrual) == 0

    changes = await tier_changes(accrual)
    assert {each.new_tier for each in changes if each.effective_at == promised[each.member_id]} == {"silver", "basic"}
    of_anna = [each for each in changes if each.member_id == ANNA]
    assert [(each.new_tier, each.version) for each in of_anna] == [("silver", 2), ("basic", 3)]
    assert of_anna[1].effective_at == of_anna[0].until


async def test_a_receipt_grades_what_is_due_before_it_counts(accrual: Accrual, fresh_database: FreshDatabase) -> None:
    await publish(accrual, rolling())
    await accrual.award(await bought(accrual, 1, GOLD_MINOR))
    await advance(fresh_database, timedelta(days=20))

    await accrual.award(await bought(accrual, 2, SILVER_MINOR))  # faster than the timer

    assert [each.new_tier for each in await tier_changes(accrual)] == ["gold", "basic", "silver"]
    assert await grade_all(accrual) == 0


async def test_a_new_version_grades_everybody_once(accrual: Accrual, fresh_database: FreshDatabase) -> None:
    await publish(accrual, rolling())
    await accrual.award(await bought(accrual, 1, SILVER_MINOR - 5_000))
    easier = scheme().model_dump()["tiers"]
    easier[1]["needs"]["points"] = 50
    starts = await now_of(accrual) + timedelta(hours=1)
    await publish(accrual, rolling(tiers=easier, version=2, effective_from=starts))
    assert await grade_all(accrual) == 0

    await advance(fresh_database, timedelta(hours=2))

    assert await grade_all(accrual) == 1
    (change,) = await tier_changes(accrual)
    assert (change.new_tier, change.reason, change.effective_at) == ("silver", "scheme_changed", starts)
    assert await grade_all(accrual) == 0


async def test_the_tier_at_a_receipt_s_time_is_what_it_was_then(
    accrual: Accrual, fresh_database: FreshDatabase
) -> None:
    await publish(accrual, rolling())
    before = await now_of(accrual)
    await accrual.award(await bought(accrual, 1, SILVER_MINOR))
    as_silver = await now_of(accrual)
    await advance(fresh_database, timedelta(days=20))
    long_ago = scheme().effective_from - timedelta(days=1)

    async with accrual.database.transaction() as transaction:
        asked = [(ANNA, before), (ANNA, as_silver), (ANNA, transaction.now), (BERT, as_silver), (ANNA, long_ago)]
        looked_at = await read_tiers_at(transaction, asked, accrual.rules.tiers.history)
        found, told = await load_tiers_at(transaction, asked, accrual.rules.tiers.history)

    assert found == looked_at == ["basic", "silver", "basic", "basic", None]
    assert len(told) == 1  # its end was due, and is graded before it is answered


async def test_a_rule_asks_for_the_tier_at_the_receipt_s_time(accrual: Accrual, fresh_database: FreshDatabase) -> None:
    doubled = Rule(
        id="silver",
        name="Double for silver",
        condition=Condition(when=TierIs(tiers=("silver", "gold"))),
        effect=Multiplier(percent=200),
    )
    rules = changed_rules(
        version=2, rules=(*RULES.rules, doubled), effective_from=RULES.effective_from + timedelta(days=1)
    )
    async with accrual.database.transaction() as transaction:
        await published_before(transaction, rules)
    await publish(accrual, rolling())
    first = await bought(accrual, 1, SILVER_MINOR)
    late = await bought(accrual, 2, 1_000, days_ago=1)

    await accrual.award(first)  # as basic
    second = await bought(accrual, 3, 1_000)
    previewed = await accrual.preview(second)
    assert isinstance(previewed, Awarded)
    assert previewed.evaluation.points == 20
    await accrual.award(second, late)
    assert (await accrual.balance(ANNA)).available == 100 + 20 + 10
    await advance(fresh_database, timedelta(days=20))
    await accrual.award(await bought(accrual, 4, 1_000))  # silver has ended, though no timer has come
    assert (await accrual.balance(ANNA)).available == 130 + 10
    await accrual.award(return_of(second, 5, {1: 500}))  # judged by the tier that it was awarded by

    assert (await accrual.balance(ANNA)).available == 140 - 10
    story = await accrual.database.run(
        partial(show_receipt, key=natural_key_of(second.data.receipt_id), rules=accrual.rules)
    )
    assert story.evaluation is not None
    assert [(rule.rule_id, rule.points) for rule in story.evaluation.applied] == [("base", 10), ("silver", 10)]


@pytest.mark.parametrize("batches", [1, 3])
async def test_any_batching_reaches_the_same_tier(accrual: Accrual, batches: int) -> None:
    """90 points; 50 come back, then 20 are collected: 60, and never 110."""
    await publish(accrual, rolling())
    first, third = await bought(accrual, 1, 9_000), await bought(accrual, 3, 2_000)
    documents: list[PurchaseEvent] = [first, return_of(first, 2, {1: 555}), third]
    if batches == 1:
        await accrual.award(*documents)
    else:
        for event in documents:
            await accrual.award(event)

    assert (await shown(accrual, ANNA)).progress.collected.points == 60
    assert await tier_changes(accrual) == []


async def test_a_grant_holds_until_its_end_or_until_it_is_taken_back(
    accrual: Accrual, fresh_database: FreshDatabase
) -> None:
    await publish(accrual, rolling())
    schemes = accrual.rules.tiers.history
    ends_at = await now_of(accrual) + timedelta(days=2)
    give = partial(grant_tier, ends_at=ends_at, reason_code="vip", author="carol", schemes=schemes)
    first = await accrual.database.run(partial(give, member_id=ANNA, tier="gold"))
    second = await accrual.database.run(partial(give, member_id=BERT, tier="gold"))
    assert first is not None
    assert second is not None

    take_back = partial(revoke_tier_grant, member_id=BERT, grant_id=second.grant_id, author="dave", schemes=schemes)
    await accrual.database.run(take_back)
    await accrual.database.run(take_back)
    await advance(fresh_database, timedelta(days=3))
    assert await grade_all(accrual) == 1

    told = [(each.member_id, each.new_tier, each.reason, each.until) for each in await tier_changes(accrual)]
    assert sorted(told, key=lambda one: one[0]) == sorted(
        [
            (ANNA, "gold", "granted", ends_at),
            (ANNA, "basic", "grant_ended", None),
            (BERT, "gold", "granted", ends_at),
            (BERT, "basic", "grant_revoked", None),
        ],
        key=lambda one: one[0],
    )


async def test_a_merge_keeps_the_higher_tier_and_sums_what_both_collected(
    accrual: Accrual, fresh_database: FreshDatabase
) -> None:
    await publish(accrual, rolling())
    now = await now_of(accrual)
    await accrual.award(
        purchase(1, 6_000, owner=ANNA, occurred_at=now),
        purchase(2, 6_000, owner=ANNE, occurred_at=now),
        purchase(3, GOLD_MINOR, owner=BERT, occurred_at=now),
    )
    give = partial(grant_tier, ends_at=now + timedelta(days=30), reason_code="vip", author="carol")
    await accrual.database.run(partial(give, member_id=ANNE, tier="silver", schemes=accrual.rules.tiers.history))
    await accrual.drain()

    both = merged_into(ANNA, ANNE)
    await accrual.members(both)
    await accrual.members(both)  # again
    assert (await shown(accrual, ANNA)).progress.collected == (120, 12_000, 2)
    assert [(each.member_id, each.new_tier, each.reason) for each in await tier_changes(accrual)] == [
        (ANNA, "silver", "merged")
    ]
    await accrual.members(merged_into(ANNA, BERT, version=3))
    assert [(each.new_tier, each.version) for each in await tier_changes(accrual)] == [("gold", 2)]
    await accrual.award(purchase(4, 100, owner=ANNE, occurred_at=now))  # a till that has not heard of it

    assert (await shown(accrual, BERT)).progress.collected == (621, 62_100, 4)
    assert {row["member_id"] for row in await kept_rows(accrual, "tier_standings")} == {ANNA}
    assert {row["member_id"] for row in await kept_rows(accrual, "tier_grants")} == {ANNA}
    await advance(fresh_database, timedelta(days=15))
    await grade_all(accrual)
    assert await tier_of(accrual, ANNA) == "silver"  # the grant that came with the merge


async def test_of_an_erased_member_nothing_is_left_and_nothing_comes_back(accrual: Accrual) -> None:
    await publish(accrual, rolling())
    goods = await bought(accrual, 1, GOLD_MINOR)
    await accrual.award(goods)
    give = partial(grant_tier, ends_at=await now_of(accrual) + timedelta(days=2), reason_code="vip", author="carol")
    grant = partial(give, member_id=ANNA, tier="gold", schemes=accrual.rules.tiers.history)
    await accrual.database.run(grant)

    await accrual.members(erased(ANNA))
    await accrual.award(return_of(goods, 2, {1: 400}))  # goods come back all the same
    assert await accrual.database.run(grant) is None

    for table in ("tier_days", "tier_standings", "tier_changes", "tier_grants"):
        assert await kept_rows(accrual, table) == []
    told: list[Event] = await accrual.drain()
    assert [event.data.new_tier for event in told if isinstance(event, TierChanged)] == ["gold"]
