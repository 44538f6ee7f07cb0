"""Several connections at once: nothing deadlocks, nothing is sold twice, one of several wins."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID

import pytest

from shared.database import Database
from shared.database.roles import role_name
from shared.ids import new_id
from shared.ledger import (
    Balances,
    Capture,
    ClawBack,
    Command,
    Earn,
    LotTerms,
    Posted,
    Refused,
    Reserve,
    SpendLate,
    Void,
    post,
)
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import balances_of, connected, posted, until_blocked, verified

TERMS = LotTerms("grocer", date(2026, 3, 1), date(2027, 3, 1))
CLIENTS = 64
MAKE_ONE = "insert into ledger_accounts (owner_id, point_type) values ($1, 'points')"
LOCK_ONE = "select from ledger_accounts where owner_id = $1 for no key update nowait"


@pytest.fixture
async def accrual(fresh_database: FreshDatabase) -> AsyncIterator[Database]:
    database = Database(fresh_database.url(role_name("accrual")), connections_max=16, connect_timeout_seconds=30)
    yield database
    await database.close()


def earn(owner: UUID, points: int) -> Earn:
    return Earn(owner, "points", b"receipt", points, TERMS)


def reserve(owner: UUID, points: int) -> Reserve:
    hold_id = new_id()
    return Reserve(owner, "points", hold_id.bytes, points, hold_id)


async def test_sixty_four_clients_never_oversell_one_balance(accrual: Database, fresh_database: FreshDatabase) -> None:
    owner = new_id()
    await posted(accrual, earn(owner, 100))
    answers = await asyncio.gather(*(posted(accrual, reserve(owner, 7)) for _ in range(CLIENTS)))
    outcomes = [outcome for [outcome] in answers]
    assert sum(isinstance(outcome, Posted) for outcome in outcomes) == 100 // 7
    assert {outcome.reason for outcome in outcomes if isinstance(outcome, Refused)} == {"insufficient_points"}
    assert await balances_of(accrual, [owner]) == {(owner, "points"): Balances(available=2, held=98)}
    assert (await verified(fresh_database)).is_sound


async def test_two_who_earn_at_once_never_lift_a_balance_above_its_cap(
    accrual: Database, fresh_database: FreshDatabase
) -> None:
    """The one that waits for the account sees what the other gave: 100 in all, however they come."""
    owner = new_id()
    await posted(accrual, earn(owner, 30))
    answers = await asyncio.gather(
        *(posted(accrual, Earn(owner, "points", b"receipt", 9, TERMS, balance_max=100)) for _ in range(CLIENTS))
    )
    outcomes = [outcome for [outcome] in answers if isinstance(outcome, Posted)]
    assert sum(outcome.points for outcome in outcomes) == 70
    assert sum(outcome.trimmed for outcome in outcomes) == 9 * CLIENTS - 70
    assert await balances_of(accrual, [owner]) == {(owner, "points"): Balances(available=100)}
    assert (await verified(fresh_database)).is_sound


async def test_of_capture_void_and_expiry_at_once_exactly_one_wins(
    accrual: Database, fresh_database: FreshDatabase
) -> None:
    owner = new_id()
    await posted(accrual, earn(owner, 1000))
    for _ in range(10):
        hold = reserve(owner, 50)
        await posted(accrual, hold)
        rivals: list[Command] = [
            Capture(owner, "points", b"r", 50, hold.hold_id, "fuel"),
            Void(owner, "points", b"r", hold.hold_id),
            Void(owner, "points", b"r", hold.hold_id, "expire"),
        ]
        answers = await asyncio.gather(*(posted(accrual, rival) for rival in rivals))
        assert sorted(type(outcome).__name__ for [outcome] in answers) == ["Posted", "Refused", "Refused"]
    assert (await verified(fresh_database)).is_sound


async def test_accounts_are_locked_in_one_order_whatever_order_is_asked_for(
    accrual: Database, fresh_database: FreshDatabase
) -> None:
    low, high = sorted((new_id(), new_id()))
    await posted(accrual, earn(low, 1), earn(high, 1))
    async with connected(fresh_database) as holder, connected(fresh_database) as prober:
        held = holder.transaction()
        await held.start()
        await holder.execute("select from ledger_accounts where owner_id = $1 for no key update", low)
        waiting = asyncio.create_task(posted(accrual, earn(high, 1), earn(low, 1)))
        await until_blocked(prober)
        async with prober.transaction():
            await prober.execute(LOCK_ONE, high)  # not taken yet by the one that waits for the lower owner
        await held.rollback()
        await waiting


async def test_accounts_are_made_in_one_order_whatever_order_is_asked_for(
    accrual: Database, fresh_database: FreshDatabase
) -> None:
    low, high = sorted((new_id(), new_id()))
    async with connected(fresh_database) as maker, connected(fresh_database) as prober:
        made = maker.transaction()
        await made.start()
        await maker.execute(MAKE_ONE, low)
        waiting = asyncio.create_task(posted(accrual, earn(high, 1), earn(low, 1)))
        await until_blocked(prober)
        await prober.execute("set lock_timeout = '1s'")
        await prober.execute(MAKE_ONE, high)  # not made yet by the one that waits for the lower owner
        await made.commit()
        await waiting
    assert await balances_of(accrual, [low, high]) == {
        (owner, "points"): Balances(available=1) for owner in (low, high)
    }


@pytest.mark.parametrize("are_new", [True, False], ids=["new owners", "known owners"])
async def test_batches_over_the_same_owners_in_opposite_orders_do_not_deadlock(
    accrual: Database, fresh_database: FreshDatabase, are_new: bool
) -> None:
    rounds, batches = 15, 4
    chance = random.Random(7)
    expected = 0
    for _ in range(rounds):
        owners = [new_id() for _ in range(30)]
        if not are_new:
            await posted(accrual, *(earn(owner, 1) for owner in owners))
            expected += len(owners)
        orders = [chance.sample(owners, len(owners)) for _ in range(batches)]
        orders[1] = orders[0][::-1]
        await asyncio.gather(*(posted(accrual, *(earn(owner, 1) for owner in order)) for order in orders))
        expected += batches * len(owners)
    async with connected(fresh_database) as admin:
        assert await admin.fetchval("select sum(available)::bigint from ledger_accounts") == expected
    verification = await verified(fresh_database)
    assert verification.is_sound
    assert verification.accounts == rounds * 30


async def test_one_who_waited_sees_what_the_other_spent(accrual: Database, fresh_database: FreshDatabase) -> None:
    owner = new_id()
    await posted(accrual, earn(owner, 10))
    async with connected(fresh_database) as watcher:
        async with accrual.transaction() as first:
            await post(first, [SpendLate(owner, "points", b"tender", 8, "fuel")])
            second = asyncio.create_task(
                posted(accrual, reserve(owner, 5), ClawBack(owner, "points", b"r", 3, TERMS, b"a"))
            )
            await until_blocked(watcher)
        refused, taken = await second
    assert refused == Refused(refused.command, "insufficient_points", Balances(available=2))
    assert taken == Posted(taken.command, 3, Balances(debt=1), debt_added=1)
