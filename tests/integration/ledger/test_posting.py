"""Posting to a real database."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import asyncpg
import pytest

from shared.database import Database
from shared.ids import new_id
from shared.ledger import (
    COMMANDS_MAX,
    Balances,
    Basket,
    Capture,
    ClawBack,
    Command,
    Earn,
    Funding,
    Give,
    HeldSince,
    LedgerBrokenError,
    Limits,
    LotTerms,
    Posted,
    Refund,
    Refused,
    Release,
    Reserve,
    SpendLate,
    Suspend,
    Usable,
    Void,
    WriteOff,
    load_balances,
    load_owed,
    load_statement,
    load_usable,
    merge,
    post,
    posting,
)
from shared.ledger.commands import LOTS_PER_HOLD_MAX
from shared.ledger.locking import lock_accounts
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import balances_of, connected, holds_of, lots_of, owed_of, posted, verified

GROCER = LotTerms("grocer", date(2026, 3, 1), date(2027, 3, 1))
FUEL = LotTerms("fuel", date(2026, 3, 1), None)


@pytest.fixture
def accrual(database_of: Callable[[str], Database]) -> Database:
    return database_of("accrual")


def earn(owner: UUID, points: int, terms: LotTerms = GROCER, reference: bytes = b"receipt") -> Earn:
    return Earn(owner, "points", reference, points, terms)


def reserve(owner: UUID, points: int, hold_id: UUID) -> Reserve:
    return Reserve(owner, "points", hold_id.bytes, points, hold_id)


async def test_a_life_of_points(accrual: Database, fresh_database: FreshDatabase) -> None:
    owner, hold_id = new_id(), new_id()
    reference = hold_id.bytes
    await posted(accrual, earn(owner, 100), earn(owner, 50, FUEL))
    await posted(accrual, Suspend(owner, "points", b"receipt", 30, GROCER, b"receipt"))
    await posted(accrual, reserve(owner, 90, hold_id))
    assert await balances_of(accrual, [owner]) == {(owner, "points"): Balances(30, 90, 30, 0)}
    await posted(accrual, ClawBack(owner, "points", b"return", 70, GROCER, b"receipt"))
    assert await balances_of(accrual, [owner]) == {(owner, "points"): Balances(0, 90, 0, 10)}
    [captured] = await posted(accrual, Capture(owner, "points", reference, 75, hold_id, "fuel"))
    assert isinstance(captured, Posted)
    assert (captured.released, captured.debt_cleared) == (15, 10)
    await posted(accrual, Release(owner, "points", b"receipt", GROCER, b"receipt"))
    [spent] = await posted(accrual, SpendLate(owner, "points", b"tender", 9, "fuel"))
    assert spent == Posted(spent.command, 5, Balances(), shortfall=4, issuers=(("fuel", 5),))
    assert await lots_of(accrual, [owner]) == {}
    assert await holds_of(accrual, [owner]) == {hold_id: ("captured", {GROCER.key: (0, 70, 0), FUEL.key: (0, 5, 0)})}
    assert (await verified(fresh_database)).is_sound


async def test_a_hold_kept_open_is_captured_again_and_expires(accrual: Database) -> None:
    owner, hold_id = new_id(), new_id()
    await posted(accrual, earn(owner, 10), reserve(owner, 10, hold_id))
    capture = Capture(owner, "points", b"r", 2, hold_id, "fuel", keep_rest=True)
    await posted(accrual, capture, capture)
    [expired] = await posted(accrual, Void(owner, "points", b"r", hold_id, "expire"))
    assert expired == Posted(expired.command, 6, Balances(available=6), released=6)
    assert await holds_of(accrual, [owner]) == {hold_id: ("expired", {GROCER.key: (0, 4, 0)})}


async def test_what_was_taken_comes_back_from_a_closed_hold_and_from_a_late_taking(
    accrual: Database, fresh_database: FreshDatabase
) -> None:
    owner, hold_id, late_id = new_id(), new_id(), new_id()
    await posted(accrual, earn(owner, 10), reserve(owner, 6, hold_id))
    await posted(accrual, Capture(owner, "points", b"tender", 6, hold_id, "fuel"))
    await posted(accrual, SpendLate(owner, "points", b"tender", 9, "fuel", late_id))
    before = await _closed_at(accrual, hold_id)
    for available in (3, 6):
        [refunded] = await posted(accrual, Refund(owner, "points", b"return", 3, hold_id, "fuel"))
        assert refunded == Posted(refunded.command, 3, Balances(available), issuers=(("grocer", 3),))
    [refused] = await posted(accrual, Refund(owner, "points", b"return", 1, hold_id, "fuel"))
    assert refused == Refused(refused.command, "exceeds_captured", Balances(6))
    await posted(accrual, Refund(owner, "points", b"return", 4, late_id, "fuel"))
    assert await balances_of(accrual, [owner]) == {(owner, "points"): Balances(available=10)}
    assert await _closed_at(accrual, hold_id) == before
    assert (await verified(fresh_database)).is_sound


async def _closed_at(accrual: Database, hold_id: UUID) -> datetime | None:
    async with accrual.transaction() as transaction:
        closed_at: datetime | None = await transaction.raw.fetchval(
            "select closed_at from ledger_holds where hold_id = $1", hold_id
        )
    return closed_at


async def test_debts_have_an_issuer_an_effect_and_an_age_and_are_paid_oldest_first(
    accrual: Database, fresh_database: FreshDatabase
) -> None:
    owner = new_id()
    await posted(accrual, earn(owner, 9), SpendLate(owner, "points", b"tender", 9, "cinema"))
    await posted(accrual, ClawBack(owner, "points", b"return-1", 4, GROCER, b"r"))
    await posted(accrual, ClawBack(owner, "points", b"return-2", 5, FUEL, b"s"))
    async with accrual.transaction() as transaction:
        owed = await load_owed(transaction, owner, "points")
    assert [(one.issuer, one.reference, one.points) for one in owed] == [
        ("grocer", b"return-1", 4),
        ("fuel", b"return-2", 5),
    ]
    assert owed[0].owed_since < owed[1].owed_since
    await posted(accrual, earn(owner, 6))
    assert await owed_of(accrual, [owner]) == {(owner, "points"): {"fuel": 3}}
    await posted(accrual, WriteOff(owner, "points", b"case", 3))
    assert await owed_of(accrual, [owner]) == {}
    assert (await verified(fresh_database)).is_sound


async def test_funding_and_limits_travel_with_the_lot_and_balances_are_told_by_limit(
    accrual: Database, fresh_database: FreshDatabase
) -> None:
    owner, friend, hold_id = new_id(), new_id(), new_id()
    funded = replace(GROCER, funding=Funding((("dairy", 700), ("grocer", 300)), 8_500, "EUR", "milk"))
    limited = replace(funded, limits=Limits(partners=("fuel",), dates=((date(2026, 3, 1), date(2026, 3, 31)),)))
    basket = Basket("fuel", date(2026, 3, 9))
    await posted(accrual, *(earn(owner, points, terms) for points, terms in ((5, GROCER), (6, funded), (7, limited))))
    await posted(accrual, Reserve(owner, "points", b"hold", 9, hold_id, basket))
    assert await _usable(accrual, owner) == [Usable(None, 9)]
    await posted(accrual, Capture(owner, "points", b"tender", 9, hold_id, "fuel"))
    await posted(accrual, Refund(owner, "points", b"return", 5, hold_id, "fuel"))
    assert await _usable(accrual, owner) == [Usable(None, 11), Usable(limited.limits, 3)]
    await posted(accrual, Give(owner, "points", b"gift", friend, "leave"))
    await accrual.run(lambda transaction: merge(transaction, friend, owner))
    assert await _usable(accrual, friend) == [Usable(None, 11), Usable(limited.limits, 3)]
    assert {terms for _, _, (terms, _) in await lots_of(accrual, [owner])} == {GROCER, funded, limited}
    assert (await verified(fresh_database)).is_sound
    async with connected(fresh_database) as admin:
        await admin.execute("update ledger_lots set limits = null where limits is not null and remaining > 0")
    [found] = (await verified(fresh_database)).findings
    assert found.check == "lot = its terms"


async def test_what_may_no_longer_be_spent_is_not_told_of_by_limit(accrual: Database) -> None:
    owner = new_id()
    await posted(accrual, earn(owner, 5, GROCER))
    assert GROCER.expires_on is not None
    async with accrual.transaction() as transaction:
        for day, usable in ((GROCER.expires_on - timedelta(days=1), [Usable(None, 5)]), (GROCER.expires_on, [])):
            on_that_day = replace(transaction, now=datetime.combine(day, time.min, UTC), zone=UTC)
            assert await load_usable(on_that_day, [owner], "points") == usable


async def _usable(accrual: Database, owner: UUID) -> list[Usable]:
    async with accrual.transaction() as transaction:
        return await load_usable(transaction, [owner], "points")


async def test_a_refusal_changes_nothing(accrual: Database, fresh_database: FreshDatabase) -> None:
    owner = new_id()
    await posted(accrual, earn(owner, 10))
    before = await _rows(fresh_database)
    void = Void(owner, "points", b"r", new_id())
    outcomes = await posted(accrual, reserve(owner, 11, new_id()), void)
    assert [outcome.reason for outcome in outcomes if isinstance(outcome, Refused)] == [
        "insufficient_points",
        "hold_not_open",
    ]
    assert await _rows(fresh_database) == before


async def test_what_a_rolled_back_transaction_posted_never_was(accrual: Database) -> None:
    owner = new_id()
    async with accrual.transaction() as transaction:
        await post(transaction, [earn(owner, 10)])
        await transaction.connection.rollback()
    assert await balances_of(accrual, [owner]) == {}


async def test_outcomes_are_at_hand_while_they_are_written(accrual: Database) -> None:
    owner = new_id()
    async with accrual.transaction() as transaction:
        async with posting(transaction, [earn(owner, 10)]) as outcomes:
            assert [outcome.balance for outcome in outcomes] == [Balances(available=10)]
        assert await load_balances(transaction, [owner], "points") == {owner: Balances(available=10)}


async def test_what_fails_beside_the_writing_undoes_it(accrual: Database) -> None:
    owner = new_id()
    with pytest.raises(LookupError):
        async with accrual.transaction() as transaction, posting(transaction, [earn(owner, 10)]):
            raise LookupError("a message that could not be made")
    assert await balances_of(accrual, [owner]) == {}


async def test_a_hold_reaches_its_bound_of_lots_and_no_further(accrual: Database) -> None:
    owner = new_id()
    lots = [LotTerms(f"p{number}", date(2026, 1, 1), None) for number in range(LOTS_PER_HOLD_MAX + 5)]
    await posted(accrual, *(earn(owner, 2, terms) for terms in lots))
    most = 2 * LOTS_PER_HOLD_MAX
    refused, held = await posted(accrual, reserve(owner, most + 1, new_id()), reserve(owner, most, new_id()))
    assert isinstance(refused, Refused)
    assert refused.reason == "too_many_lots"
    assert isinstance(held, Posted)
    assert held.balance == Balances(available=10, held=most)


async def test_a_claw_back_takes_however_many_lots_it_needs(accrual: Database) -> None:
    owner = new_id()
    lots = [LotTerms(f"p{number}", date(2026, 1, 1), None) for number in range(LOTS_PER_HOLD_MAX + 5)]
    await posted(accrual, *(earn(owner, 2, terms) for terms in lots))
    [taken] = await posted(accrual, ClawBack(owner, "points", b"return", 2 * len(lots) - 1, GROCER, b"receipt"))
    assert taken == Posted(taken.command, 2 * len(lots) - 1, Balances(available=1), debt_added=409, debt_cleared=409)


async def test_reserving_a_hold_again_fails_whole(accrual: Database) -> None:
    owner, hold_id = new_id(), new_id()
    await posted(accrual, earn(owner, 10), reserve(owner, 3, hold_id))
    with pytest.raises(asyncpg.UniqueViolationError) as failure:
        await posted(accrual, earn(owner, 5), reserve(owner, 3, hold_id))
    assert failure.value.constraint_name == "ledger_holds_pkey"
    assert await balances_of(accrual, [owner]) == {(owner, "points"): Balances(available=7, held=3)}


async def test_no_transfers_number_is_below_an_earlier_one_of_its_account(accrual: Database) -> None:
    owners = [new_id() for _ in range(5)]
    for _ in range(3):
        await posted(accrual, *(earn(owner, points) for points in (1, 2, 3) for owner in owners))
    async with accrual.transaction() as transaction:
        for owner in owners:
            lines = await load_statement(transaction, owner, "points")
            assert [line.points for line in lines] == [3, 2, 1] * 3
            assert [line.transfer_id for line in lines] == sorted((line.transfer_id for line in lines), reverse=True)


async def test_a_statement_is_read_page_by_page(accrual: Database) -> None:
    owner = new_id()
    await posted(accrual, *(earn(owner, points) for points in range(1, 8)))
    pages, before = [], None
    async with accrual.transaction() as transaction:
        while lines := await load_statement(transaction, owner, "points", before_transfer_id=before, lines_max=3):
            pages.append([line.points for line in lines])
            before = lines[-1].transfer_id
        assert await load_statement(transaction, new_id(), "points") == []
    assert pages == [[7, 6, 5], [4, 3, 2], [1]]


async def test_balances_of_those_who_never_had_a_point_are_zero(accrual: Database) -> None:
    owner, stranger = new_id(), new_id()
    await posted(accrual, earn(owner, 10), Earn(owner, "status", b"receipt", 3, GROCER))
    async with accrual.transaction() as transaction:
        assert await load_balances(transaction, [stranger, owner], "points") == {
            stranger: Balances(),
            owner: Balances(available=10),
        }
        assert await load_balances(transaction, [], "points") == {}


async def test_transfers_bear_the_transactions_business_time(accrual: Database) -> None:
    owner = new_id()
    async with accrual.transaction() as transaction:
        await post(transaction, [earn(owner, 10)])
        [line] = await load_statement(transaction, owner, "points")
        assert line.business_time == transaction.now


@pytest.mark.parametrize(("kind", "statements"), [("credits", 2), ("everything", 4), ("new owners", 4)])
async def test_the_number_of_statements_does_not_depend_on_the_number_of_commands(
    accrual: Database, kind: str, statements: int
) -> None:
    counts = set()
    for size in (1, 40):
        owners = [new_id() for _ in range(size)]
        holds = [new_id() for _ in owners]
        await posted(accrual, *(earn(owner, 10) for owner in owners))
        await posted(accrual, *(reserve(owner, 5, hold) for owner, hold in zip(owners, holds, strict=True)))
        commands: dict[str, list[Command]] = {
            "credits": [earn(owner, 1) for owner in owners],
            "new owners": [earn(new_id(), 1) for _ in owners],
            "everything": [
                *(reserve(owner, 1, new_id()) for owner in owners),
                *(Capture(owner, "points", b"r", 2, hold, "fuel") for owner, hold in zip(owners, holds, strict=True)),
            ],
        }
        counts.add(await _statements_of(accrual, commands[kind]))
    assert counts == {statements}


async def test_nothing_to_post_asks_nothing(accrual: Database) -> None:
    held = HeldSince()
    async with accrual.transaction() as transaction:
        assert await post(transaction, [], held_since=held) == []
    assert held.seconds() == 0


async def test_held_since_starts_with_the_locks(accrual: Database) -> None:
    held = HeldSince()
    async with accrual.transaction() as transaction:
        await post(transaction, [earn(new_id(), 1)], held_since=held)
    assert held.seconds() > 0


async def test_too_many_commands_are_refused_before_anything_is_locked(accrual: Database) -> None:
    command = earn(new_id(), 1)
    async with accrual.transaction() as transaction:
        with pytest.raises(ValueError, match="page by page"):
            await post(transaction, [command] * (COMMANDS_MAX + 1))
        assert await lock_accounts(transaction.raw, [command])  # the transaction goes on


async def test_a_ledger_that_contradicts_itself_takes_no_posting(
    accrual: Database, fresh_database: FreshDatabase
) -> None:
    owner = new_id()
    await posted(accrual, earn(owner, 10))
    async with connected(fresh_database) as admin:
        await admin.execute("update ledger_lots set remaining = 9")
    with pytest.raises(LedgerBrokenError, match="lack 1 points"):
        await posted(accrual, reserve(owner, 10, new_id()))


async def _statements_of(database: Database, commands: Sequence[Command]) -> int:
    statements: list[str] = []
    async with database.transaction() as transaction:
        with transaction.raw.query_logger(lambda query: statements.append(query.query)):
            await post(transaction, commands)
    return len(statements)


async def _rows(fresh_database: FreshDatabase) -> dict[str, list[str]]:
    tables = ("ledger_accounts", "ledger_lots", "ledger_holds", "ledger_hold_lots", "ledger_transfers")
    async with connected(fresh_database) as admin:
        return {
            table: [row["line"] for row in await admin.fetch(f"select {table}::text as line from {table} order by 1")]
            for table in tables
        }
