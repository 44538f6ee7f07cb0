"""What is foreseen is what posting answers then, and foreseeing it leaves no trace."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from shared.database import Database, Transaction
from shared.database.roles import role_name
from shared.ids import new_id
from shared.ledger import (
    ClawBack,
    Command,
    Earn,
    EarnPending,
    LotTerms,
    Outcome,
    Release,
    Suspend,
    foresee,
    merge,
    post,
)
from tests.support.databases import FreshDatabase

GROCER = LotTerms("grocer", date(2026, 3, 1), date(2100, 3, 1))
OLD = LotTerms("grocer", date(2020, 3, 1), date(2021, 3, 1))
LATER = LotTerms("fuel", date(2026, 4, 1), None)


@pytest.fixture
async def accrual(fresh_database: FreshDatabase) -> AsyncIterator[Database]:
    """It knows where days end, so that it knows what may no longer be spent."""
    database = Database(fresh_database.url(role_name("accrual")), zone=ZoneInfo("America/New_York"))
    yield database
    await database.close()


async def foreseen_and_posted(accrual: Database, *commands: Command) -> Sequence[Outcome]:
    """What is foreseen of these; it is posted then, and answered with the same."""

    async def look(transaction: Transaction) -> Sequence[Outcome]:
        return await foresee(transaction, commands)

    before = await accrual.read(look)
    assert await accrual.read(look) == before
    async with accrual.transaction() as transaction:
        assert await post(transaction, commands) == before
    return before


def back(owner: UUID, points: int, **said: object) -> ClawBack:
    return replace(ClawBack(owner, "points", b"return", points, GROCER, b"receipt"), **said)  # type: ignore[arg-type]


async def test_what_is_foreseen_is_what_is_answered(accrual: Database) -> None:
    anna = new_id()
    await foreseen_and_posted(accrual, back(anna, 5))  # an owner without an account owes all of it
    await foreseen_and_posted(accrual, Earn(anna, "points", b"receipt", 100, GROCER))
    await foreseen_and_posted(
        accrual,
        EarnPending(anna, "points", b"other", 30, LATER, b"other"),
        Suspend(anna, "points", b"receipt", 40, GROCER, b"receipt"),
        Earn(anna, "status", b"receipt", 7, GROCER),
    )
    for policy in ("refuse", "clip", "debt"):
        await foreseen_and_posted(accrual, back(anna, 500, policy=policy), back(anna, 3, policy=policy))
    await foreseen_and_posted(accrual, Release(anna, "points", b"other", LATER, b"other"), back(anna, 20))
    await foreseen_and_posted(accrual, back(anna, 9, point_type="status"))


async def test_what_may_no_longer_be_spent_is_not_there(accrual: Database) -> None:
    anna = new_id()
    async with accrual.transaction() as transaction:
        await post(replace(transaction, zone=None), [Earn(anna, "points", b"old", 50, OLD)])

    (outcome,) = await foreseen_and_posted(accrual, back(anna, 20, policy="refuse"))

    assert type(outcome).__name__ == "Refused"


async def test_who_was_merged_away_is_answered_for(accrual: Database) -> None:
    anna, old = new_id(), new_id()
    async with accrual.transaction() as transaction:
        await post(transaction, [Earn(old, "points", b"receipt", 60, GROCER)])
    async with accrual.transaction() as transaction:
        await merge(transaction, old, anna)

    (outcome,) = await foreseen_and_posted(accrual, back(old, 20))

    assert (outcome.command.owner_id, outcome.balance.available) == (anna, 40)


async def test_a_snapshot_sees_one_moment_and_writes_nothing(accrual: Database) -> None:
    anna = new_id()
    earn = Earn(anna, "points", b"receipt", 60, GROCER)
    async with accrual.transaction(is_snapshot=True) as reading:
        async with accrual.transaction() as transaction:
            await post(transaction, [earn])
        (outcome,) = await foresee(reading, [replace(earn, points=1)])
        assert outcome.balance.available == 1
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await post(reading, [earn])

    async with accrual.transaction() as transaction:  # on the same connection, which writes again
        (posted,) = await post(transaction, [earn])
    assert posted.balance.available == 120
