"""Months, versions, and what keeps the hot path short."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from shared.database import Database
from shared.database.roles import role_name
from shared.ids import new_id
from shared.ledger import (
    SUPPORTED_VERSIONS,
    Earn,
    LotTerms,
    UnsupportedLedgerError,
    check_version,
    load_statement,
    post,
)
from shared.ledger.balances import LOAD_CREDITED_SINCE, LOAD_STATEMENT
from shared.ledger.repository import LOAD_HOLDS, LOAD_HOLDS_AND_LAPSING, LOAD_LOTS
from shared.ledger.writing import WRITE_ALL, WRITE_CREDITS
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import connected, posted, verified

TERMS = LotTerms("grocer", date(2026, 3, 1), date(2127, 3, 1))
WHERE = "select tableoid::regclass::text from ledger_transfers order by transfer_id"


async def test_transfers_go_to_the_month_of_their_business_time(
    database_of: Callable[[str], Database], fresh_database: FreshDatabase
) -> None:
    owner, command = new_id(), Earn(new_id(), "points", b"r", 5, TERMS)
    await posted(database_of("accrual"), command)
    async with connected(fresh_database) as admin:
        await admin.execute("insert into business_clock (clock_offset) values (interval '2 months')")
        async with database_of("accrual").transaction() as transaction:
            await post(transaction, [Earn(owner, "points", b"r", 5, TERMS)])
            ahead = transaction.now
        now = await admin.fetchval("select now()")
        found = [row[0] for row in await admin.fetch(WHERE)]
    assert found == [f"ledger_transfers_{moment.astimezone(UTC):%Y_%m}" for moment in (now, ahead)]


async def test_a_month_without_a_partition_waits_in_the_default_and_moves_when_it_is_made(
    database_of: Callable[[str], Database], fresh_database: FreshDatabase
) -> None:
    owner = new_id()
    async with connected(fresh_database) as admin:
        await admin.execute("insert into business_clock (clock_offset) values (interval '50 years')")
        await posted(
            database_of("accrual"), Earn(owner, "points", b"r", 5, TERMS), Earn(owner, "points", b"s", 6, TERMS)
        )
        assert {row[0] for row in await admin.fetch(WHERE)} == {"ledger_transfers_default"}
        make = "select ledger_transfers_make_partitions(now() + (select clock_offset from business_clock))"
        assert await admin.fetchval(make) == 4
        assert await admin.fetchval(make) == 0
        assert {row[0] for row in await admin.fetch(WHERE)} != {"ledger_transfers_default"}
    await posted(database_of("accrual"), Earn(owner, "points", b"t", 7, TERMS))
    async with database_of("accrual").transaction() as transaction:
        lines = await load_statement(transaction, owner, "points")
    assert [line.points for line in lines] == [7, 6, 5]
    assert (await verified(fresh_database)).is_sound


async def test_months_are_cut_at_midnight_utc(fresh_database: FreshDatabase) -> None:
    async with connected(fresh_database) as admin:
        await admin.execute("set time zone 'Asia/Tokyo'")
        last = datetime(2040, 12, 31, 23, 59, 59, tzinfo=UTC)
        assert await admin.fetchval("select ledger_transfers_make_partitions($1, 1)", last) == 2
        bounds = await admin.fetchval("""
            select pg_get_expr(relpartbound, oid) from pg_class where relname = 'ledger_transfers_2041_01'
        """)
    assert bounds == "FOR VALUES FROM ('2041-01-01 09:00:00+09') TO ('2041-02-01 09:00:00+09')"


async def test_changing_amounts_stays_within_the_page(
    database_of: Callable[[str], Database], fresh_database: FreshDatabase
) -> None:
    """No index may hold a balance or a lot's amounts: every posting would then write to it as well (no HOT update)."""
    await posted(database_of("accrual"), Earn(new_id(), "points", b"r", 5, TERMS))
    async with connected(fresh_database) as admin:
        found = await admin.fetch("""
            select tablename, indexdef from pg_indexes
            where schemaname = 'ledger' and tablename in ('ledger_accounts', 'ledger_lots', 'ledger_transfers')
        """)
    indexes = sorted((row["tablename"], row["indexdef"].partition(" USING ")[2]) for row in found)
    assert indexes == [
        ("ledger_accounts", "btree (account_id)"),
        ("ledger_accounts", "btree (owner_id, point_type)"),
        ("ledger_lots", "btree (account_id, lot_key)"),
        ("ledger_lots", "btree (account_id, lot_key) WHERE (limits IS NOT NULL)"),
        ("ledger_lots", "btree (expires_on, account_id) WHERE ((expires_on IS NOT NULL) AND (award IS NULL))"),
        ("ledger_transfers", "brin (transfer_id) WITH (autosummarize='on')"),
        ("ledger_transfers", "btree (account_id, transfer_id)"),
        ("ledger_transfers", "btree (credit_account_id, transfer_id) WHERE (credit_account_id IS NOT NULL)"),
    ]


async def test_a_service_knows_whether_it_works_with_the_ledger(
    database_of: Callable[[str], Database], fresh_database: FreshDatabase
) -> None:
    async with connected(fresh_database) as admin:
        async with database_of("redemption").transaction() as transaction:
            assert await check_version(transaction.raw) in SUPPORTED_VERSIONS
        for other in ("insert into ledger_version values (99)", "delete from ledger_version"):
            await admin.execute(other)
            async with database_of("redemption").transaction() as transaction:
                with pytest.raises(UnsupportedLedgerError, match="tessera migrate"):
                    await check_version(transaction.raw)


async def test_plans_made_while_the_tables_are_empty_scan_neither_lots_nor_holds(fresh_database: FreshDatabase) -> None:
    """A plan is kept: one that scans an empty table would scan it when it has a million rows."""
    async with connected(fresh_database, role_name("redemption")) as connection:
        await connection.execute("set plan_cache_mode = force_generic_plan")
        for number, statement in enumerate(
            (
                LOAD_STATEMENT,
                LOAD_CREDITED_SINCE,
                LOAD_LOTS,
                LOAD_HOLDS,
                LOAD_HOLDS_AND_LAPSING,
                WRITE_CREDITS,
                WRITE_ALL,
            )
        ):
            await connection.execute(f"prepare hot_{number} as {statement}")
            parameters = len(set(re.findall(r"\$\d+", statement)))
            rows = await connection.fetch(f"explain execute hot_{number} ({', '.join(['null'] * parameters)})")
            scans = [row[0].strip() for row in rows if "Seq Scan on ledger_" in row[0]]
            assert [scan for scan in scans if "ledger_accounts" not in scan] == []
