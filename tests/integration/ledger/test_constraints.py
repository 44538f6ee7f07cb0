"""What the database refuses whatever code asks for it: rules of the tables, and privileges of the roles."""

from collections.abc import AsyncIterator, Callable
from datetime import date

import asyncpg
import pytest

from shared.database import Database
from shared.database.roles import LEDGER_SERVICES, SERVICES, reader_name, role_name
from shared.ids import new_id
from shared.ledger import ClawBack, Earn, LotTerms, Reserve, SpendLate
from shared.ledger.grants import LEDGER_GRANTS
from shared.ledger.legs import ALL_LEGS, BETWEEN_OWNERS
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import connected, posted

TERMS = LotTerms("grocer", date(2026, 3, 1), date(2027, 3, 1))
TABLES = tuple(LEDGER_GRANTS)

# An account with 70 available and 30 held, and one that owes 5.
RICH = "(select account_id from ledger_accounts where held > 0)"
INDEBTED = "(select account_id from ledger_accounts where debt > 0)"
TRANSFER = """
    insert into ledger_transfers (account_id, debit, credit, partner_id, points, purpose, reference, debit_lot,
        credit_lot, hold_id, business_time, credit_account_id)
    values (1, {debit}, {credit}, {partner}, {points}, {purpose}, {reference}, {debit_lot}, {credit_lot}, {hold}, now(),
        {credit_account})
"""
EARNING = {
    "debit": "'issue'",
    "credit": "'available'",
    "partner": "'grocer'",
    "points": "1",
    "purpose": "'earn'",
    "reference": "'r'",
    "debit_lot": "null",
    "credit_lot": "decode(repeat('00', 16), 'hex')",
    "hold": "null",
    "credit_account": "null",
}
MERGING = EARNING | {"purpose": "'merge'", "debit": "'available'", "partner": "null", "debit_lot": "'x'"}
REFUNDING = EARNING | {"purpose": "'refund'", "debit": "'redeem'"}
CLAW_BACK_OWED = EARNING | {"purpose": "'claw_back'", "debit": "'debt'", "credit": "'issue'", "credit_lot": "null"}

BROKEN = (
    (f"update ledger_accounts set available = -1 where account_id = {RICH}", "available_not_negative"),
    (f"update ledger_accounts set held = held - 31 where account_id = {RICH}", "held_not_negative"),
    (f"update ledger_accounts set pending = -1 where account_id = {RICH}", "pending_not_negative"),
    (f"update ledger_accounts set available = 0, debt = -1 where account_id = {RICH}", "debt_not_negative"),
    (f"update ledger_accounts set debt = 1 where account_id = {RICH}", "debt_is_cleared_first"),
    (f"update ledger_accounts set available = 1 where account_id = {INDEBTED}", "debt_is_cleared_first"),
    ("update ledger_lots set remaining = -1", "remaining_not_negative"),
    ("update ledger_lots set reserved = -1", "reserved_not_negative"),
    ("update ledger_holds set reserved = 0", "open_while_reserved"),
    ("update ledger_holds set state = 'voided', closed_at = now()", "open_while_reserved"),
    ("update ledger_holds set state = 'gone', reserved = 0, closed_at = now()", "state_known"),
    ("update ledger_holds set closed_at = now()", "closed_at_given"),
    ("update ledger_hold_lots set reserved = -1", "reserved_not_negative"),
    ("update ledger_hold_lots set captured = -1", "captured_not_negative"),
    ("update ledger_hold_lots set refunded = captured + 1", "refunded_of_captured"),
    ("update ledger_hold_lots set refunded = -1", "refunded_of_captured"),
    (TRANSFER.format(**REFUNDING), "hold_named"),
    ("update ledger_debts set owed = -1", "owed_not_negative"),
    (TRANSFER.format(**CLAW_BACK_OWED | {"partner": "null"}), "partner_named"),
    ("insert into ledger_accounts (owner_id, point_type) values (gen_random_uuid(), '')", "point_type_length"),
    (TRANSFER.format(**EARNING | {"points": "0"}), "points_positive"),
    (TRANSFER.format(**EARNING | {"points": "-1"}), "points_positive"),
    (TRANSFER.format(**EARNING | {"purpose": "'gift'"}), "legs_known"),
    (TRANSFER.format(**EARNING | {"debit": "'redeem'", "partner": "null"}), "legs_known"),
    (TRANSFER.format(**EARNING | {"partner": "null"}), "partner_named"),
    (TRANSFER.format(**EARNING | {"credit_lot": "null"}), "credit_lot_named"),
    (TRANSFER.format(**EARNING | {"debit_lot": "'x'"}), "debit_lot_named"),
    (TRANSFER.format(**EARNING | {"hold": "gen_random_uuid()"}), "hold_named"),
    (TRANSFER.format(**EARNING | {"reference": "''"}), "reference_length"),
    (TRANSFER.format(**EARNING | {"credit_account": "2"}), "merge_names_both"),
    (TRANSFER.format(**MERGING), "merge_names_both"),
    (TRANSFER.format(**MERGING | {"credit_account": "1"}), "merge_names_both"),
    (TRANSFER.format(**MERGING | {"credit_account": "2", "credit": "'pending'"}), "legs_known"),
    ("insert into ledger_accounts (owner_id, point_type) select owner_id, point_type from ledger_accounts", "key"),
)
FORBIDDEN = (
    "update ledger_transfers set points = 1",
    "delete from ledger_transfers",
    "truncate ledger_transfers",
    "select * from ledger_transfers for update",
    "insert into ledger_transfers (transfer_id) overriding system value values (1)",
    "insert into ledger_transfers (posted_at) values (now())",
    "delete from ledger_accounts",
    "update ledger_accounts set owner_id = gen_random_uuid()",
    "insert into ledger_accounts (owner_id, point_type, available) values (gen_random_uuid(), 'points', 5)",
    "delete from ledger_lots",
    "update ledger_lots set issuer = 'me'",
    "update ledger_lots set expires_on = null",
    "delete from ledger_holds",
    "update ledger_holds set account_id = 0",
    "delete from ledger_hold_lots",
    "delete from ledger_debts",
    "update ledger_debts set issuer = 'me'",
    "update ledger_version set version = 2",
    "select ledger_transfers_make_partitions(now())",
    "drop table ledger_transfers",
    "alter table ledger_accounts drop constraint ledger_accounts_available_not_negative",
)


@pytest.fixture
async def populated(database_of: Callable[[str], Database], fresh_database: FreshDatabase) -> FreshDatabase:
    rich, indebted, hold_id = new_id(), new_id(), new_id()
    await posted(
        database_of("accrual"),
        Earn(rich, "points", b"r", 100, TERMS),
        Reserve(rich, "points", b"r", 30, hold_id),
        Earn(indebted, "points", b"r", 5, TERMS),
        SpendLate(indebted, "points", b"r", 5, "fuel"),
        ClawBack(indebted, "points", b"r", 5, TERMS, b"award"),
    )
    return fresh_database


@pytest.fixture
async def redemption(populated: FreshDatabase) -> AsyncIterator[asyncpg.Connection]:
    async with connected(populated, role_name("redemption")) as connection:
        yield connection


async def test_no_sql_of_a_service_breaks_a_rule(redemption: asyncpg.Connection) -> None:
    for statement, constraint in BROKEN:
        with pytest.raises((asyncpg.CheckViolationError, asyncpg.UniqueViolationError)) as failure:
            await redemption.execute(statement)
        assert str(failure.value.constraint_name).endswith(constraint), statement


async def test_the_table_admits_every_known_pair_of_legs(redemption: asyncpg.Connection) -> None:
    for legs in ALL_LEGS:
        purpose, debit, credit = legs
        lots = ("available", "held", "pending")
        names = {
            "purpose": f"'{purpose}'",
            "debit": f"'{debit}'",
            "credit": f"'{credit}'",
            "partner": "'grocer'" if {debit, credit} & {"issue", "redeem"} else "null",
            "debit_lot": "'x'" if debit in lots else "null",
            "credit_lot": "'x'" if credit in lots else "null",
            "hold": "gen_random_uuid()" if "held" in (debit, credit) or purpose == "refund" else "null",
            "credit_account": "2" if legs in BETWEEN_OWNERS else "null",
        }
        assert await redemption.execute(TRANSFER.format(**EARNING | names)) == "INSERT 0 1"


async def test_who_answers_for_whom_is_accruals_to_say(redemption: asyncpg.Connection) -> None:
    for statement in (
        "insert into ledger_aliases values (gen_random_uuid(), gen_random_uuid(), now())",
        "update ledger_aliases set survivor_id = gen_random_uuid()",
        "delete from ledger_aliases",
        "update ledger_accounts set is_merged = true",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await redemption.execute(statement)


async def test_a_merged_account_has_nothing_left_to_give(populated: FreshDatabase) -> None:
    async with connected(populated, role_name("accrual")) as accrual:
        with pytest.raises(asyncpg.CheckViolationError) as failure:
            await accrual.execute(f"update ledger_accounts set is_merged = true where account_id = {RICH}")
        assert str(failure.value.constraint_name).endswith("merged_has_given")
        with pytest.raises(asyncpg.CheckViolationError) as failure:
            await accrual.execute("insert into ledger_aliases select id, id, now() from gen_random_uuid() as id")
        assert str(failure.value.constraint_name).endswith("of_another")


@pytest.mark.parametrize("service", LEDGER_SERVICES)
async def test_a_posting_service_cannot_rewrite_the_past(populated: FreshDatabase, service: str) -> None:
    async with connected(populated, role_name(service)) as connection:
        for statement in FORBIDDEN:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


@pytest.mark.parametrize("service", LEDGER_SERVICES)
async def test_partitions_are_no_way_around(populated: FreshDatabase, service: str) -> None:
    async with connected(populated) as admin:
        found = await admin.fetch("""
            select inhrelid::regclass::text as name from pg_inherits where inhparent = 'ledger_transfers'::regclass
        """)
        partitions = [row["name"] for row in found]
    assert len(partitions) == 5  # this month, three ahead, and the default
    async with connected(populated, role_name(service)) as connection:
        for partition in partitions:
            for statement in (f"update {partition} set points = 1", f"delete from {partition}"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)


async def test_a_reader_reads_and_no_more(populated: FreshDatabase) -> None:
    service = LEDGER_SERVICES[0]
    async with connected(populated, reader_name(service)) as connection:
        for table in TABLES:
            assert await connection.fetchval(f"select count(*) from {table}") > 0
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"delete from {table}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("update ledger_accounts set available = 1")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(TRANSFER.format(**EARNING))


async def test_no_other_service_sees_the_ledger(populated: FreshDatabase) -> None:
    for service in sorted({*SERVICES} - {*LEDGER_SERVICES}):
        async with connected(populated, role_name(service)) as connection:
            for table in TABLES:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.fetch(f"select * from ledger.{table}")
