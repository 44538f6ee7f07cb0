"""What went wrong in other loyalty systems, each as a test that it does not here (docs/mistakes-made-elsewhere.md)."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from services.accrual.use_cases.pass_expiry import ExpiryPasses
from services.redemption.domain.statement import describe, fold_transfers
from shared.database import Transaction
from shared.database.moved_clock import advance_clock, read_clock
from shared.events.expiry import PointsExpired
from shared.events.purchases import PurchaseRecorded
from shared.ids import new_id
from shared.kafka.batch_size import BatchSize
from shared.ledger import Balances, Capture, Reserve, load_balances, load_statement
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.accrual_tiers import publish, shown
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import posted, verified
from tests.support.receipts import card, changed_rules, line, purchase, return_of
from tests.support.tiers import scheme

NEW_YORK = ZoneInfo("America/New_York")
CARDS = 40_000
ROWS_READ_MAX = 20
LASTS_DAYS = 30

_numbers = count(1)


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    """Points last for thirty days; a point a dollar, two for produce."""
    async with begun_accrual(module_database, changed_rules(expires_after_days=LASTS_DAYS), zone=NEW_YORK) as accrual:
        yield accrual


@pytest.fixture
async def anna(accrual: Accrual) -> UUID:
    return await joined(accrual)


@pytest.fixture
async def clock(module_database: FreshDatabase) -> AsyncIterator[asyncpg.Connection]:
    admin = await asyncpg.connect(module_database.admin_url)
    yield admin
    await admin.close()


async def spend(accrual: Accrual, owner: UUID, points: int) -> None:
    """At a till, as redemption does it."""
    hold = new_id()
    await posted(
        accrual.database,
        Reserve(owner, "points", hold.bytes, points, hold),
        Capture(owner, "points", hold.bytes, points, hold, "fuel"),
    )


async def test_a_refund_does_not_leave_its_purchases_points_with_the_member(accrual: Accrual, anna: UUID) -> None:
    """Neither whole nor line by line, nor where they are spent by then: they are owed, and paid first."""
    whole, by_line, spent = (
        purchase(next(_numbers), [line(1, 1000), line(2, 600, "PRODUCE")], owner=anna) for _ in range(3)
    )
    await accrual.award(whole, by_line)
    assert await accrual.balance(anna) == Balances(available=2 * 22)

    await accrual.award(return_of(whole, next(_numbers), {1: 1000, 2: 1000}))
    await accrual.award(return_of(by_line, next(_numbers), {2: 1000}))
    await accrual.award(return_of(by_line, next(_numbers), {1: 1000}))
    assert await accrual.balance(anna) == Balances()

    await accrual.award(spent)
    await spend(accrual, anna, 20)
    await accrual.award(return_of(spent, next(_numbers), {1: 1000, 2: 1000}))
    assert await accrual.balance(anna) == Balances(debt=20)
    await accrual.award(purchase(next(_numbers), 2500, owner=anna))
    assert await accrual.balance(anna) == Balances(available=5)


async def test_a_refund_is_no_purchase_that_earns(accrual: Accrual, anna: UUID) -> None:
    bought = purchase(next(_numbers), 5000, owner=anna)
    back = return_of(bought, next(_numbers), {1: 200})
    report = await accrual.award(bought, back)

    assert (report.awarded, report.clawed_back) == (1, 1)
    assert await accrual.balance(anna) == Balances(available=40)


async def test_a_till_that_was_offline_for_days_and_sends_everything_twice_doubles_nothing(
    accrual: Accrual, anna: UUID, clock: asyncpg.Connection
) -> None:
    """Some went out before the line broke; the rest comes days later, all of it again and in another order."""
    sold = [purchase(next(_numbers), 1000, owner=anna) for _ in range(6)]
    await accrual.award(*sold[:2])
    await advance_clock(clock, timedelta(days=3))  # longer than any key of a request is kept

    await accrual.award(*[_received_again(event) for event in sold])
    await accrual.award(*[_received_again(event) for event in reversed(sold)])
    corrected_by_hand = purchase(next(_numbers), 1000, owner=anna)
    await accrual.award(corrected_by_hand)
    other = corrected_by_hand.model_copy(
        update={"data": corrected_by_hand.data.model_copy(update={"total_minor": 900_000, "content_hash": "f" * 64})}
    )
    report = await accrual.award(other)

    assert report.conflicts == 1  # the same number with other contents is a conflict, and no second sale
    assert await accrual.balance(anna) == Balances(available=70)


async def test_forty_thousand_cards_make_no_receipt_slow(
    accrual: Accrual, anna: UUID, clock: asyncpg.Connection
) -> None:
    """What is read for one receipt does not grow with the programme: no table is gone through."""
    async with accrual.database.transaction() as transaction:
        await transaction.raw.execute(
            "insert into identifiers (identifier_hash, member_id, state, version)"
            " select md5(n::text), gen_random_uuid(), 'active', 1 from generate_series(1, $1) as n",
            CARDS,
        )
        await transaction.raw.execute(
            "insert into identifiers (identifier_hash, member_id, state, version) values ($1, $2, 'active', 1)",
            card(77),
            anna,
        )
        await transaction.raw.execute(
            "insert into members (member_id, status, version)"
            " select gen_random_uuid(), 'active', 1 from generate_series(1, $1)",
            CARDS,
        )

    await clock.execute("analyze accrual.identifiers, accrual.members")  # a server does it by itself, in its own time

    async with accrual.database.transaction() as transaction:
        before = await _rows_read(transaction)
        await accrual.award_in(transaction, [purchase(next(_numbers), 1000, identifier_hash=card(77))])
        after = await _rows_read(transaction)

    assert await accrual.balance(anna) == Balances(available=10)
    assert {name: all_of_it - before[name][0] for name, (all_of_it, _) in after.items()} == {
        "identifiers": 0,
        "members": 0,
    }
    assert all(0 < one_by_one - before[name][1] <= ROWS_READ_MAX for name, (_, one_by_one) in after.items())


async def _rows_read(transaction: Transaction) -> dict[str, tuple[int, int]]:
    """What this connection has read by going through a table, and by index; earlier transactions may be in it."""
    rows = await transaction.raw.fetch(
        "select relname, seq_tup_read, idx_tup_fetch from pg_stat_xact_user_tables"
        " where schemaname = 'accrual' and relname in ('identifiers', 'members')"
    )
    return {name: (all_of_it, one_by_one) for name, all_of_it, one_by_one in rows}


async def test_points_expire_also_where_members_may_owe_some(
    accrual: Accrual, anna: UUID, clock: asyncpg.Connection, module_database: FreshDatabase
) -> None:
    """Expiry takes what is there and no debt; a debt takes what is earned and lapses with nothing."""
    today = (await read_clock(clock)).now
    day = today.astimezone(NEW_YORK).date()
    bought = _now(purchase(next(_numbers), 3000, owner=anna), today)
    await accrual.award(bought)
    await spend(accrual, anna, 30)
    await accrual.award(return_of(bought, next(_numbers), {1: 1000}))
    assert await accrual.balance(anna) == Balances(debt=30)
    await accrual.award(_now(purchase(next(_numbers), 4500, owner=anna), today))
    assert await accrual.balance(anna) == Balances(available=15)
    later = _now(purchase(next(_numbers), 1000, owner=anna), today)
    await accrual.award(later)
    await accrual.drain()

    await _set_to(clock, day + timedelta(days=LASTS_DAYS))
    await ExpiryPasses(accrual.database, BatchSize(100), lambda: 0.0).run()
    told = [event.data for event in await accrual.drain() if isinstance(event, PointsExpired)]
    assert [(one.points, one.balance.available) for one in told if one.member_id == anna] == [(25, 0)]

    await accrual.award(return_of(later, next(_numbers), {1: 1000}))  # what has lapsed pays no debt
    assert await accrual.balance(anna) == Balances(debt=10)
    await accrual.award(_now(purchase(next(_numbers), 1800, owner=anna), (await read_clock(clock)).now))
    assert await accrual.balance(anna) == Balances(available=8)
    await _set_to(clock, day + timedelta(days=2 * LASTS_DAYS))
    await ExpiryPasses(accrual.database, BatchSize(100), lambda: 0.0).run()
    assert await accrual.balance(anna) == Balances()
    assert (await verified(module_database)).findings == ()


async def test_what_is_shown_holds_today_to_this_very_second(
    accrual: Accrual, anna: UUID, clock: asyncpg.Connection
) -> None:
    """Balance, statement and the way to the next tier, also late in the evening, when it is tomorrow in London."""
    await publish(accrual, scheme(zone=str(NEW_YORK)))
    tomorrow = (await read_clock(clock)).now.astimezone(NEW_YORK).date() + timedelta(days=1)
    await advance_clock(clock, datetime.combine(tomorrow, time(23, 59), NEW_YORK) - (await read_clock(clock)).now)
    async with accrual.database.transaction() as transaction:
        now = transaction.now
    assert now.astimezone(UTC).date() > tomorrow

    await accrual.award(_now(purchase(next(_numbers), 4000, owner=anna), now))

    async with accrual.database.transaction() as transaction:
        balances = await load_balances(transaction, [anna], "points")
        lines = await load_statement(transaction, anna, "points")
    assert balances[anna] == Balances(available=40)
    assert [describe(movement, None) for movement in fold_transfers(lines)] == ["Earned 40 points"]
    assert (await shown(accrual, anna)).progress.collected == (40, 4000, 1)


def _received_again(event: PurchaseRecorded) -> PurchaseRecorded:
    """The same document as the door sends it when the till posts it once more."""
    received_at = event.data.received_at + timedelta(days=3)
    return event.model_copy(update={"data": event.data.model_copy(update={"received_at": received_at})})


def _now(event: PurchaseRecorded, now: datetime) -> PurchaseRecorded:
    """The document as one of this moment."""
    return event.model_copy(update={"data": event.data.model_copy(update={"occurred_at": now, "received_at": now})})


async def _set_to(clock: asyncpg.Connection, day: date) -> None:
    await advance_clock(clock, datetime.combine(day, time(0, 1), NEW_YORK) - (await read_clock(clock)).now)
