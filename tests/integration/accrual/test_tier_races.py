"""Who comes at once counts once each: two batches, a merge in flight, the timer beside a receipt."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.accrual.domain.tiers.scheme import TierScheme
from services.accrual.use_cases.project_members import project_members
from shared.database import Database
from shared.events.purchases import PurchaseRecorded
from tests.support.accrual import Accrual
from tests.support.accrual_tiers import advance, grade_all, now_of, publish, shown, tier_changes
from tests.support.databases import FreshDatabase
from tests.support.interleaving import interleave
from tests.support.receipts import enrolled, member, merged_into, purchase
from tests.support.tiers import TEN_DAYS, scheme

ANNA, ANNE = member(1), member(2)
GOLD_MINOR = 50_000  # a point for each 100


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> Accrual:
    accrual = Accrual(database_of("accrual"))
    await accrual.begin()
    await accrual.members(enrolled(ANNA), enrolled(ANNE))
    return accrual


def rolling() -> TierScheme:
    return scheme(period=TEN_DAYS)


async def bought(accrual: Accrual, number: int, amount_minor: int) -> PurchaseRecorded:
    """A receipt of Anna's that is to be awarded."""
    return purchase(number, amount_minor, owner=ANNA, occurred_at=await now_of(accrual))


async def test_two_batches_of_one_member_count_both(accrual: Accrual) -> None:
    await publish(accrual, rolling())
    first, second = await bought(accrual, 1, 6_000), await bought(accrual, 2, 6_000)

    await interleave(
        accrual.database,
        lambda transaction: accrual.award_in(transaction, [first]),
        lambda transaction: accrual.award_in(transaction, [second]),
    )

    assert (await shown(accrual, ANNA)).progress.collected == (120, 12_000, 2)
    assert [each.new_tier for each in await tier_changes(accrual)] == ["silver"]


async def test_a_merge_in_flight_and_an_award_count_both(accrual: Accrual) -> None:
    await publish(accrual, rolling())
    now = await now_of(accrual)
    await accrual.award(purchase(1, 6_000, owner=ANNE, occurred_at=now))
    await interleave(
        accrual.database,
        lambda transaction: accrual.award_in(transaction, [purchase(2, 6_000, owner=ANNA, occurred_at=now)]),
        lambda transaction: project_members(transaction, [merged_into(ANNA, ANNE)]),
    )

    assert (await shown(accrual, ANNA)).progress.collected == (120, 12_000, 2)
    assert [(each.member_id, each.new_tier) for each in await tier_changes(accrual)] == [(ANNA, "silver")]


async def test_the_timer_waits_for_a_receipt_and_finds_nothing_left(
    accrual: Accrual, fresh_database: FreshDatabase
) -> None:
    await publish(accrual, rolling())
    await accrual.award(await bought(accrual, 1, GOLD_MINOR))
    await advance(fresh_database, timedelta(days=20))
    late = await bought(accrual, 2, 100)

    async def timer(*_: object) -> None:
        assert await grade_all(accrual) == 1

    await interleave(accrual.database, lambda transaction: accrual.award_in(transaction, [late]), timer)

    assert [(each.new_tier, each.version) for each in await tier_changes(accrual)] == [("gold", 1), ("basic", 2)]
