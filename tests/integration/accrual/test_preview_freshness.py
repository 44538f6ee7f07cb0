"""Published rules are not read for each preview, and a preview says what is awarded all the same."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

import pytest

from services.accrual.domain.decisions import Awarded, Parked
from services.accrual.domain.rules import PointsPerAmount, Rule, RuleSet
from services.accrual.programme import PublishedRules
from services.accrual.repository import rule_sets
from shared.database import Database, Transaction
from shared.events.purchases import PurchaseRecorded
from tests.support.accrual import Accrual, published_before
from tests.support.accrual_tiers import advance, now_of
from tests.support.databases import FreshDatabase
from tests.support.receipts import changed_rules, enrolled, member, purchase

ANNA = member(1)
IN_FORCE_IN = timedelta(seconds=60)
numbers = count(1)


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> Accrual:
    """A process that previews, and has just read what was published."""
    accrual = Accrual(database_of("accrual"))
    await accrual.begin()
    await accrual.members(enrolled(ANNA))
    return accrual


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each reading of what was published."""
    read: list[int] = []
    load_newer = rule_sets.load_newer

    async def noted(transaction: Transaction, than_version: int) -> rule_sets.Known:
        read.append(than_version)
        return await load_newer(transaction, than_version)

    monkeypatch.setattr(rule_sets, "load_newer", noted)
    return read


def giving(points: int, version: int, effective_from: datetime) -> RuleSet:
    """So many points a dollar."""
    rule = Rule(id="base", name="base", effect=PointsPerAmount(points=points, step_minor=100))
    return changed_rules(rules=[rule], version=version, effective_from=effective_from)


async def publish(accrual: Accrual, rule_set: RuleSet) -> None:
    """Somebody else publishes it."""
    async with accrual.database.transaction() as transaction:
        await published_before(transaction, rule_set)


async def previewed(accrual: Accrual, occurred_at: datetime) -> int:
    """What a receipt of a dollar would give; it is what a worker that has just read everything gives for it then."""
    event: PurchaseRecorded = purchase(next(numbers), 100, owner=ANNA, occurred_at=occurred_at)
    decision = await accrual.preview(event)
    assert isinstance(decision, Awarded)
    worker = Accrual(accrual.database)
    async with accrual.database.transaction() as transaction:
        await worker.rules.refresh(transaction)
    had = (await accrual.balance(ANNA)).available
    await worker.award(event)
    assert (await accrual.balance(ANNA)).available - had == decision.evaluation.points
    return decision.evaluation.points


async def test_what_was_just_read_is_not_read_again(accrual: Accrual, readings: list[int]) -> None:
    now = await now_of(accrual)
    for minutes_ago in (0, 60):
        await accrual.preview(
            purchase(next(numbers), 100, owner=ANNA, occurred_at=now - timedelta(minutes=minutes_ago))
        )

    assert readings == []


async def test_a_version_counts_from_its_second_on_though_nobody_has_read_it(
    accrual: Accrual, fresh_database: FreshDatabase, readings: list[int]
) -> None:
    now = await now_of(accrual)
    await publish(accrual, giving(5, 2, now + IN_FORCE_IN))

    assert await previewed(accrual, now) == 1
    own = list(readings)
    assert await previewed(accrual, now + IN_FORCE_IN) == 5  # of a till whose clock runs ahead
    assert len(readings) > len(own) + 1  # the worker's, and this process's own
    await advance(fresh_database, 2 * IN_FORCE_IN)
    await publish(accrual, giving(7, 3, now + IN_FORCE_IN + timedelta(seconds=30)))
    assert await previewed(accrual, now + 2 * IN_FORCE_IN) == 7  # time has passed that no timer has seen


async def test_what_is_withdrawn_before_it_counts_never_does(accrual: Accrual, fresh_database: FreshDatabase) -> None:
    now = await now_of(accrual)
    await publish(accrual, giving(5, 2, now + 2 * IN_FORCE_IN))
    assert await previewed(accrual, now + 2 * IN_FORCE_IN) == 5
    async with accrual.database.transaction() as transaction:
        await transaction.raw.execute("update rule_sets set state = 'withdrawn' where version = 2")
    await advance(fresh_database, 2 * IN_FORCE_IN)

    assert await previewed(accrual, now + 2 * IN_FORCE_IN) == 1


async def test_the_first_version_counts_at_once_however_far_it_reaches_back(accrual: Accrual) -> None:
    """Where there was none, nobody judges by what was read."""
    now = await now_of(accrual)
    async with accrual.database.transaction() as transaction:
        await transaction.raw.execute("delete from rule_sets")
        accrual.rules = PublishedRules()
        await accrual.rules.refresh(transaction)
    assert isinstance(await accrual.preview(purchase(next(numbers), 100, owner=ANNA, occurred_at=now)), Parked)
    await publish(accrual, giving(5, 1, now - timedelta(days=1)))

    assert await previewed(accrual, now) == 5
