"""Two owners become one: on the real tables, beside postings that began before or come after."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date
from itertools import pairwise
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings

from shared.database import Database
from shared.database.errors import StartAgainError
from shared.database.roles import role_name
from shared.ids import new_id
from shared.ledger import (
    Balances,
    Capture,
    ClawBack,
    Command,
    Earn,
    LotTerms,
    MergedElsewhereError,
    MergedPoints,
    Outcome,
    Posted,
    Refused,
    Release,
    Reserve,
    SpendLate,
    Suspend,
    Void,
    find_survivors,
    load_balances,
    load_statement,
    merge,
    post,
)
from shared.ledger.commands import LOTS_PER_HOLD_MAX
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import (
    balances_of,
    connected,
    holds_of,
    lots_of,
    owed_of,
    posted,
    until_blocked,
    verified,
)
from tests.support.ledger_histories import Merge, histories_with_merges, renamed
from tests.support.ledger_model import PaperLedger

TERMS = LotTerms("grocer", date(2026, 3, 1), date(2027, 3, 1))
LATER = LotTerms("fuel", date(2026, 4, 1), date(2027, 4, 1))


@pytest.fixture
async def accrual(fresh_database: FreshDatabase) -> AsyncIterator[Database]:
    database = Database(fresh_database.url(role_name("accrual")), connections_max=8, connect_timeout_seconds=30)
    yield database
    await database.close()


def earn(owner: UUID, points: int, terms: LotTerms = TERMS) -> Earn:
    return Earn(owner, "points", b"receipt", points, terms)


async def merged(database: Database, merged_id: UUID, survivor_id: UUID) -> list[MergedPoints]:
    return await database.run(lambda transaction: merge(transaction, merged_id, survivor_id))


async def test_points_pending_ones_and_debt_go_to_the_survivor_and_holds_follow_the_alias(
    accrual: Database, database_of: Callable[[str], Database], fresh_database: FreshDatabase
) -> None:
    old, new, hold = new_id(), new_id(), new_id()
    await posted(
        accrual,
        earn(old, 100),
        earn(old, 40, LATER),
        earn(new, 7),
        Suspend(old, "points", b"a", 30, TERMS, b"award"),
        Reserve(old, "points", hold.bytes, 50, hold),
    )
    [points] = await merged(accrual, old, new)
    assert points == MergedPoints("points", 60, 30, 0, 0, Balances(available=67, pending=30))
    assert await lots_of(accrual, [old, new]) == {
        (new, "points", (TERMS, None)): (27, 50),  # 20 that came, 7 that were there, and what the hold reserves
        (new, "points", (LATER, None)): (40, 0),
        (new, "points", (TERMS, b"award")): (30, 0),
    }
    redemption = database_of("redemption")
    async with redemption.transaction() as transaction:
        both = await load_balances(transaction, [old, new], "points")
    assert both == dict.fromkeys([old, new], Balances(available=67, held=50, pending=30))

    [captured] = await posted(redemption, Capture(old, "points", b"r", 20, hold, "fuel", keep_rest=True))
    assert captured == Posted(
        replace(captured.command, owner_id=new), 20, Balances(available=67, pending=30), issuers=(("grocer", 20),)
    )
    [voided] = await posted(redemption, Void(new, "points", hold.bytes, hold))  # under either name
    assert voided == Posted(voided.command, 30, Balances(available=97, pending=30), released=30)
    [released] = await posted(accrual, Release(old, "points", b"a", TERMS, b"award"))
    assert released == Posted(replace(released.command, owner_id=new), 30, Balances(available=127))
    [taken] = await posted(accrual, ClawBack(old, "points", b"return", 100, TERMS, b"award"))
    assert isinstance(taken, Posted)
    assert taken.balance == Balances(available=27)
    assert (await verified(fresh_database)).findings == ()


async def test_what_one_owes_is_cleared_from_what_the_other_has(
    accrual: Database, fresh_database: FreshDatabase
) -> None:
    owing, rich, poor = new_id(), new_id(), new_id()
    for owner in (owing, poor):
        await posted(
            accrual,
            earn(owner, 40),
            SpendLate(owner, "points", b"t", 40, "fuel"),
            ClawBack(owner, "points", b"r", 30, TERMS, b"a"),
        )
    await posted(accrual, earn(rich, 100, LATER), earn(rich, 5))
    [into_rich] = await merged(accrual, owing, rich)
    assert into_rich == MergedPoints("points", 0, 0, 30, 30, Balances(available=75))
    [into_poor] = await merged(accrual, rich, poor)
    assert into_poor == MergedPoints("points", 75, 0, 0, 30, Balances(available=45))
    assert await lots_of(accrual, [owing, rich, poor]) == {(poor, "points", (LATER, None)): (45, 0)}
    async with accrual.transaction() as transaction:
        assert await find_survivors(transaction, [owing, rich, poor]) == {owing: poor, rich: poor}  # chains are flat
    assert (await verified(fresh_database)).findings == ()


async def test_merging_again_changes_nothing_and_never_somewhere_else(
    accrual: Database, fresh_database: FreshDatabase
) -> None:
    one, two, three = new_id(), new_id(), new_id()
    await posted(accrual, earn(one, 10), earn(two, 20))
    await merged(accrual, one, two)
    async with connected(fresh_database) as admin:
        before = await admin.fetch("select * from ledger_transfers order by transfer_id")
        assert await merged(accrual, one, two) == []
        for again in ((two, one), (one, three), (three, three)):
            with pytest.raises(MergedElsewhereError):
                await merged(accrual, *again)
        assert await admin.fetch("select * from ledger_transfers order by transfer_id") == before
    await merged(accrual, two, three)
    assert await merged(accrual, one, two) == []  # an old event after a newer one
    assert await balances_of(accrual, [one, two, three]) == {(three, "points"): Balances(available=30)}


async def test_the_two_have_one_statement_in_which_the_merge_is_a_line(accrual: Database) -> None:
    old, new = new_id(), new_id()
    await posted(accrual, earn(old, 10))
    await posted(accrual, earn(new, 20))
    await merged(accrual, old, new)
    await posted(accrual, earn(old, 30))
    for owner in (old, new):
        async with accrual.transaction() as transaction:
            lines = await load_statement(transaction, owner, "points")
            older = await load_statement(
                transaction, owner, "points", before_transfer_id=lines[1].transfer_id, lines_max=1
            )
        assert [(line.purpose, line.points) for line in lines] == [
            ("earn", 30),
            ("merge", 10),
            ("earn", 20),
            ("earn", 10),
        ]
        assert lines[1].reference == f"merge:{old}:{new}".encode()
        assert older == [lines[2]]


async def test_an_alias_that_appears_while_the_account_is_waited_for_starts_the_posting_again(
    accrual: Database, fresh_database: FreshDatabase
) -> None:
    old, new = new_id(), new_id()
    await posted(accrual, earn(old, 10))
    attempts = 0

    async def award(transaction: object) -> list[Outcome]:
        nonlocal attempts
        attempts += 1
        return await post(transaction, [earn(old, 5)])  # type: ignore[arg-type]

    async def once() -> list[Outcome]:
        async with accrual.transaction() as transaction:
            return await post(transaction, [earn(old, 1)])

    async with connected(fresh_database) as watcher, accrual.transaction() as merging:
        await merge(merging, old, new)
        waiting = asyncio.create_task(accrual.run(award))
        alone = asyncio.create_task(once())
        await until_blocked(watcher, 2)
    [outcome] = await waiting
    with pytest.raises(StartAgainError):
        await alone  # without a second attempt nothing is posted
    assert attempts == 2
    assert outcome == Posted(earn(new, 5), 5, Balances(available=15))
    assert (await verified(fresh_database)).findings == ()


async def test_a_posting_that_holds_the_account_first_is_merged_too(
    accrual: Database, fresh_database: FreshDatabase
) -> None:
    old, new = new_id(), new_id()
    await posted(accrual, earn(old, 10))
    async with connected(fresh_database) as watcher, accrual.transaction() as awarding:
        await post(awarding, [earn(old, 5)])
        waiting = asyncio.create_task(merged(accrual, old, new))
        await until_blocked(watcher)
    [points] = await waiting
    assert points.balance == Balances(available=15)


@pytest.mark.parametrize("is_merge_first", [True, False], ids=["merge first", "posting first"])
async def test_an_account_made_while_the_merge_runs_is_not_left_behind(
    accrual: Database, fresh_database: FreshDatabase, is_merge_first: bool
) -> None:
    """The merged owner has no account of this type yet: there is no row in which the two could meet."""
    old, new = new_id(), new_id()
    async with connected(fresh_database) as watcher:
        if is_merge_first:
            async with accrual.transaction() as merging:
                await merge(merging, old, new)
                waiting = asyncio.create_task(accrual.run(lambda second: post(second, [earn(old, 5)])))
                await until_blocked(watcher)
            await waiting
        else:
            async with accrual.transaction() as awarding:
                await post(awarding, [earn(old, 5)])
                second = asyncio.create_task(merged(accrual, old, new))
                await until_blocked(watcher)
            await second
    assert await balances_of(accrual, [old, new]) == {(new, "points"): Balances(available=5)}
    assert (await verified(fresh_database)).findings == ()


async def test_a_hold_of_the_merged_owner_is_not_everybodys(accrual: Database) -> None:
    old, new, stranger, hold = new_id(), new_id(), new_id(), new_id()
    await posted(accrual, earn(old, 10), earn(stranger, 10), Reserve(old, "points", hold.bytes, 10, hold))
    await merged(accrual, old, new)
    [refused] = await posted(accrual, Void(stranger, "points", hold.bytes, hold))
    assert isinstance(refused, Refused)
    assert refused.reason == "hold_not_open"


async def test_many_merges_and_postings_at_once_lose_nothing(accrual: Database, fresh_database: FreshDatabase) -> None:
    """Chains, the same pair twice, and awards under every name, all at the same time."""
    owners = [new_id() for _ in range(6)]
    await posted(accrual, *(earn(owner, 100) for owner in owners))
    holds = [new_id() for _ in owners]
    await posted(accrual, *(Reserve(owner, "points", h.bytes, 40, h) for owner, h in zip(owners, holds, strict=True)))

    async def award(owner: UUID) -> None:
        await accrual.run(lambda transaction: post(transaction, [earn(owner, 1)]))

    async def let_go(owner: UUID, hold: UUID) -> None:
        await accrual.run(lambda transaction: post(transaction, [Void(owner, "points", hold.bytes, hold)]))

    pairs = [*pairwise(owners), (owners[0], owners[1]), (owners[3], owners[4])]
    await asyncio.gather(
        *(merged(accrual, *pair) for pair in pairs),
        *(award(owner) for owner in owners for _ in range(5)),
        *(let_go(owner, hold) for owner, hold in zip(owners, holds, strict=True)),
    )
    assert await balances_of(accrual, owners) == {(owners[-1], "points"): Balances(available=630)}
    assert (await verified(fresh_database)).findings == ()


async def test_accrual_alone_may_merge(database_of: Callable[[str], Database], accrual: Database) -> None:
    old, new = new_id(), new_id()
    await posted(accrual, earn(old, 10))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await merged(database_of("redemption"), old, new)


# One database serves all examples: each takes owners and holds that nobody else has.
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories_with_merges())
async def test_any_order_of_merges_and_commands_agrees_with_paper(
    history: list[Command | Merge], database_of: Callable[[str], Database], fresh_database: FreshDatabase
) -> None:
    service, paper = database_of("accrual"), PaperLedger(LOTS_PER_HOLD_MAX)
    names: dict[UUID, UUID] = {}

    def own(name: UUID) -> UUID:
        return names.setdefault(name, new_id())

    for step in history:
        if isinstance(step, Merge):
            pair = Merge(own(step.merged_id), own(step.survivor_id))
            async with service.transaction() as transaction:
                known = await find_survivors(transaction, pair)
            if known.get(pair.merged_id, pair.merged_id) != known.get(pair.survivor_id, pair.survivor_id):
                await merged(service, known.get(pair.merged_id, pair.merged_id), pair.survivor_id)
            paper.merge(*pair)
            continue
        command = renamed(step, own)
        expected = paper.post(command)
        [outcome] = await posted(service, command)
        assert type(outcome) is type(expected)
        assert outcome.balance._replace(held=0) == expected.balance._replace(held=0)  # what a merged one holds is apart
    owners = set(names.values())
    assert await balances_of(service, owners) == paper.balances()
    assert await lots_of(service, owners) == paper.lots()
    assert await holds_of(service, owners) == paper.holds()
    assert await owed_of(service, owners) == paper.owed()
    await service.close()
    assert (await verified(fresh_database)).findings == ()
