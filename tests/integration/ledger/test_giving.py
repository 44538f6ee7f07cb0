"""One living owner gives to another: on the real tables, beside others who do, and beside merges."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from shared.database import Database
from shared.database.roles import role_name
from shared.ids import new_id
from shared.ledger import (
    Balances,
    ClawBack,
    Earn,
    Give,
    LotTerms,
    Outcome,
    Posted,
    Refused,
    Reserve,
    StatementLine,
    Suspend,
    Void,
    load_statement,
    merge,
    post,
)
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import balances_of, connected, lots_of, posted, until_blocked, verified

TERMS = LotTerms("grocer", date(2026, 3, 1), date(2027, 3, 1))
LATER = LotTerms("fuel", date(2026, 4, 1), date(2027, 4, 1))
GIFTS = 20


@pytest.fixture
async def accrual(fresh_database: FreshDatabase) -> AsyncIterator[Database]:
    database = Database(fresh_database.url(role_name("accrual")), connections_max=GIFTS, connect_timeout_seconds=30)
    yield database
    await database.close()


def earn(owner: UUID, points: int, terms: LotTerms = TERMS) -> Earn:
    return Earn(owner, "points", b"receipt", points, terms)


def leave(giver: UUID, receiver: UUID) -> Give:
    return Give(giver, "points", b"leave", receiver, "leave")


def gift(giver: UUID, receiver: UUID, points: int) -> Give:
    return Give(giver, "points", b"gift", receiver, "gift", points)


async def statement(database: Database, owner: UUID) -> list[StatementLine]:
    async with database.transaction() as transaction:
        return await load_statement(transaction, owner, "points")


async def test_what_is_left_behind_keeps_its_terms_and_what_is_held_pending_or_owed_stays(
    accrual: Database, database_of: Callable[[str], Database], fresh_database: FreshDatabase
) -> None:
    leaver, heir, hold = new_id(), new_id(), new_id()
    await posted(
        accrual,
        earn(leaver, 100),
        earn(leaver, 40, LATER),
        Suspend(leaver, "points", b"s", 30, TERMS, b"award"),
        Reserve(leaver, "points", hold.bytes, 20, hold),
        ClawBack(heir, "points", b"return", 25, TERMS, b"other"),
    )
    [given] = await posted(database_of("redemption"), leave(leaver, heir))
    assert given == Posted(
        leave(leaver, heir),
        90,
        Balances(held=20, pending=30),
        debt_cleared=25,
        issuers=(("fuel", 40), ("grocer", 50)),
        receiver=Balances(available=65),
    )
    assert await lots_of(accrual, [leaver, heir]) == {
        (leaver, "points", (TERMS, None)): (0, 20),
        (leaver, "points", (TERMS, b"award")): (30, 0),
        (heir, "points", (TERMS, None)): (25, 0),
        (heir, "points", (LATER, None)): (40, 0),
    }
    [voided] = await posted(accrual, Void(leaver, "points", hold.bytes, hold))
    [returned] = await posted(accrual, ClawBack(leaver, "points", b"return", 60, TERMS, b"bread"))
    assert isinstance(voided, Posted)
    assert isinstance(returned, Posted)
    assert (voided.balance.available, returned.balance) == (20, Balances(pending=30, debt=40))  # the leaver's alone
    assert (await verified(fresh_database)).findings == ()


async def test_a_gift_keeps_issuer_and_days_and_is_all_or_nothing(
    accrual: Database, fresh_database: FreshDatabase
) -> None:
    giver, friend = new_id(), new_id()
    await posted(accrual, earn(giver, 10), earn(giver, 10, LATER))
    [refused, given, partial] = await posted(
        accrual,
        gift(giver, friend, 21),
        gift(giver, friend, 12),
        replace(gift(giver, friend, 12), is_partial=True),
    )
    assert isinstance(refused, Refused)
    assert isinstance(given, Posted)
    assert isinstance(partial, Posted)
    assert (refused.reason, refused.balance) == ("insufficient_points", Balances(available=20))
    assert (given.points, given.receiver) == (12, Balances(available=12))
    assert (partial.points, partial.shortfall, partial.receiver) == (8, 4, Balances(available=20))
    assert await lots_of(accrual, [giver, friend]) == {
        (friend, "points", (replace(TERMS, basis="gift"), None)): (10, 0),
        (friend, "points", (replace(LATER, basis="gift"), None)): (10, 0),
    }
    assert (await verified(fresh_database)).findings == ()


async def test_each_sees_a_gift_on_their_own_side_and_one_owner_sees_it_change_nothing(accrual: Database) -> None:
    giver, friend, other = new_id(), new_id(), new_id()
    await posted(accrual, earn(giver, 10), earn(friend, 3))
    await posted(accrual, gift(giver, friend, 4))
    await posted(accrual, earn(friend, 2))
    assert [(line.purpose, line.side, line.change) for line in await statement(accrual, giver)] == [
        ("gift", "giver", -4),
        ("earn", "owner", 10),
    ]
    lines = await statement(accrual, friend)
    assert [(line.purpose, line.side, line.change) for line in lines] == [
        ("earn", "owner", 2),
        ("gift", "receiver", 4),
        ("earn", "owner", 3),
    ]
    async with accrual.transaction() as transaction:
        first = await load_statement(transaction, friend, "points", lines_max=2)
        rest = await load_statement(transaction, friend, "points", before_transfer_id=first[-1].transfer_id)
    assert first + rest == lines
    await accrual.run(lambda transaction: merge(transaction, giver, friend))
    lines = await statement(accrual, giver)
    assert [(line.purpose, line.side, line.change) for line in lines] == [
        ("merge", "both", 0),
        ("earn", "owner", 2),
        ("gift", "both", 0),
        ("earn", "owner", 3),
        ("earn", "owner", 10),
    ]
    [same] = await posted(accrual, gift(giver, friend, 1))
    assert isinstance(same, Refused)
    assert (same.reason, same.balance) == ("same_owner", Balances(available=15))
    await posted(accrual, gift(giver, other, 15))
    received = await statement(accrual, other)  # a line a lot: what had been a gift before was one of its own
    assert sorted((line.side, line.change) for line in received) == [("receiver", 4), ("receiver", 11)]


async def test_twenty_gifts_at_once_give_what_is_there_once(accrual: Database, fresh_database: FreshDatabase) -> None:
    """Somewhere else twenty requests that came together made 2,000 points of 100."""
    giver, friends = new_id(), [new_id() for _ in range(GIFTS)]
    await posted(accrual, earn(giver, 100))
    outcomes = await asyncio.gather(*(posted(accrual, gift(giver, friend, 100)) for friend in friends))
    assert sum(isinstance(outcome, Posted) for [outcome] in outcomes) == 1
    balances = await balances_of(accrual, [giver, *friends])
    assert sum(balance.available for balance in balances.values()) == 100
    assert (await verified(fresh_database)).findings == ()


async def test_gifts_in_a_ring_and_both_ways_end_and_lose_nothing(
    accrual: Database, fresh_database: FreshDatabase
) -> None:
    """Accounts are locked in key order, whoever gives to whom."""
    owners = [new_id() for _ in range(4)]
    await posted(accrual, *(earn(owner, 50) for owner in owners))
    pairs = [(one, other) for one in owners for other in owners if one != other]
    await asyncio.gather(
        *(posted(accrual, replace(gift(*pair, 7), is_partial=True)) for pair in pairs),
        *(posted(accrual, leave(*pair)) for pair in pairs[:4]),
        *(posted(accrual, earn(owner, 5)) for owner in owners),
    )
    balances = await balances_of(accrual, owners)
    assert sum(balance.available for balance in balances.values()) == 220
    assert (await verified(fresh_database)).findings == ()


@pytest.mark.parametrize("is_giver_merged", [True, False], ids=["giver", "receiver"])
async def test_a_merge_that_comes_meanwhile_is_followed(
    accrual: Database, fresh_database: FreshDatabase, is_giver_merged: bool
) -> None:
    giver, receiver, survivor = new_id(), new_id(), new_id()
    await posted(accrual, earn(giver, 10), earn(receiver, 1), earn(survivor, 5))
    old = giver if is_giver_merged else receiver
    async with connected(fresh_database) as watcher, accrual.transaction() as merging:
        await merge(merging, old, survivor)
        waiting: asyncio.Task[list[Outcome]] = asyncio.create_task(
            accrual.run(lambda transaction: post(transaction, [leave(giver, receiver)]))
        )
        await until_blocked(watcher)
    [outcome] = await waiting
    assert isinstance(outcome, Posted)
    assert isinstance(outcome.command, Give)
    named = (outcome.command.owner_id, outcome.command.receiver_id)
    assert named == ((survivor, receiver) if is_giver_merged else (giver, survivor))
    assert (outcome.points, outcome.receiver) == (
        (15, Balances(available=16)) if is_giver_merged else (10, Balances(available=16))
    )
    assert (await verified(fresh_database)).findings == ()
