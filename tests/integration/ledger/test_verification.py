"""A flipped bit anywhere is found and named."""

import importlib
from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest

from shared.database import Database
from shared.ids import new_id
from shared.ledger import Capture, ClawBack, Earn, LotTerms, Reserve, SpendLate, Suspend, merge, post, verify
from shared.ledger.findings import FINDINGS_MAX
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import connected, posted, verified

GROCER = LotTerms("grocer", date(2026, 3, 1), date(2027, 3, 1))
FUEL = LotTerms("fuel", date(2026, 3, 1), None)
HOLD = UUID(int=42)

# What somebody with the administrator's rights did, and what must be found: check, amount, stored, computed.
DISTURBANCES: tuple[tuple[str, set[tuple[str, str, int | None, int | None]]], ...] = (
    (
        "update ledger_accounts set available = available # 64 where account_id = 1",
        {
            ("account = transfers", "available", 104, 40),
            ("account = lots", "available", 104, 40),
            ("owners = partners", "total", 194, 130),
        },
    ),
    (
        "update ledger_accounts set debt = debt + 2 where account_id = 2",
        {
            ("account = transfers", "debt", 7, 5),
            ("account = debts", "debt", 7, 5),
            ("owners = partners", "total", 128, 130),
        },
    ),
    (
        "update ledger_lots set remaining = remaining + 1 where account_id = 1 and award is not null",
        {("lot = transfers", "remaining", 21, 20), ("account = lots", "pending", 20, 21)},
    ),
    (
        "update ledger_lots set reserved = reserved + 1 where account_id = 1 and reserved = 65",
        {
            ("lot = transfers", "reserved", 66, 65),
            ("lot = holds", "reserved", 66, 65),
            ("account = lots", "held", 75, 76),
        },
    ),
    (
        "update ledger_holds set reserved = 70, captured = 16",
        {
            ("hold = its lots", "reserved", 70, 75),
            ("hold = its lots", "captured", 16, 15),
            ("account = holds", "held", 75, 70),
        },
    ),
    (
        "update ledger_hold_lots set captured = captured + 1 where captured = 15",
        {("hold's lot = transfers", "captured", 16, 15), ("hold = its lots", "captured", 15, 16)},
    ),
    (
        "update ledger_hold_lots set refunded = 3 where captured = 15",
        {("hold's lot = transfers", "refunded", 3, 0)},
    ),
    (
        "update ledger_transfers set points = points # 2 where purpose = 'earn' and points = 100",
        {
            ("account = transfers", "available", 40, 42),
            ("lot = transfers", "remaining", 0, 2),
            ("owners = partners", "total", 130, 132),
        },
    ),
    (
        "delete from ledger_transfers where purpose = 'capture'",
        {
            ("account = transfers", "held", 75, 90),
            ("lot = transfers", "reserved", 65, 80),
            ("hold's lot = transfers", "reserved", 65, 80),
            ("hold's lot = transfers", "captured", 15, 0),
            ("owners = partners", "total", 130, 145),
        },
    ),
    (
        "update ledger_debts set owed = owed + 1",
        {("account = debts", "debt", 5, 6), ("debt = transfers", "owed to fuel", 6, 5)},
    ),
    (
        "update ledger_debts set issuer = 'grocer'",
        {("debt = transfers", "owed to fuel", None, 5), ("debt = transfers", "owed to grocer", 5, 0)},
    ),
    (
        "update ledger_lots set issuer = 'fuel' where account_id = 1 and reserved = 65",
        {("lot = its terms", "key", None, None), ("transfer = its lot's issuer", "issued by grocer", 100, 0)},
    ),
    ("update ledger_lots set award = 'r9' where award = 'r1'", {("lot = its terms", "key", None, None)}),
    (
        "update ledger_lots set issuer = '' where account_id = 2",
        {("lot = its terms", "key", None, None), ("transfer = its lot's issuer", "issued by fuel", 5, 0)},
    ),
    (
        "update ledger_transfers set partner_id = 'cinema' where purpose = 'earn' and points = 50",
        {("transfer = its lot's issuer", "issued by cinema", 50, 0)},
    ),
    (
        """
        update ledger_transfers set credit_lot = decode(repeat('00', 16), 'hex')
        where purpose = 'reserve' and points = 80
        """,
        {
            ("transfer = its lot", "reserve to another lot", 80, 0),
            ("lot = transfers", "reserved", None, 80),
            ("lot = transfers", "remaining", None, 0),
            ("lot = transfers", "reserved", 65, -15),
        },
    ),
    (
        """
        alter table ledger_transfers drop constraint ledger_transfers_legs_known;
        insert into ledger_transfers
            (account_id, purpose, debit, credit, partner_id, points, reference, credit_lot, business_time)
        select account_id, 'earn', 'adjustment', 'available', null, 7, 'x', lot_key, now()
        from ledger_lots where account_id = 1 and reserved = 65
        """,
        {
            ("transfer = a known way", "earn: adjustment to available", 7, 0),
            ("account = transfers", "available", 40, 47),
            ("lot = transfers", "remaining", 0, 7),
            ("owners = partners", "total", 130, 137),
        },
    ),
    (
        """
        alter table ledger_accounts drop constraint ledger_accounts_held_not_negative;
        update ledger_accounts set held = -1 where account_id = 1
        """,
        {
            ("amount within bounds", "held", -1, 0),
            ("account = transfers", "held", -1, 75),
            ("account = lots", "held", -1, 75),
            ("account = holds", "held", -1, 75),
            ("owners = partners", "total", 54, 130),
        },
    ),
    (
        "insert into ledger_lapses select account_id, lot_key, 3 from ledger_lots where account_id = 2",
        {("lapse = transfers", "lapsed, untold", 3, 0)},
    ),
    (
        "delete from ledger_lots where account_id = 2",
        {("lot = transfers", "remaining", None, 0), ("lot = transfers", "reserved", None, 0)},
    ),
    (
        "delete from ledger_accounts where account_id = 2",
        {
            ("account = transfers", "available", None, 0),
            ("account = transfers", "held", None, 0),
            ("account = transfers", "pending", None, 0),
            ("account = transfers", "debt", None, 5),
            ("account = debts", "debt", None, 5),
            ("account = lots", "available", None, 0),
            ("account = lots", "held", None, 0),
            ("account = lots", "pending", None, 0),
            ("owners = partners", "total", None, -5),
        },
    ),
)


@pytest.fixture
async def populated(database_of: Callable[[str], Database], fresh_database: FreshDatabase) -> FreshDatabase:
    """Two owners with every kind of lot and hold; the tests disturb account 1."""
    owner, other = new_id(), new_id()
    accrual = database_of("accrual")
    await posted(accrual, Earn(owner, "points", b"r1", 100, GROCER))
    await posted(
        accrual,
        Earn(owner, "points", b"r2", 50, FUEL),
        Suspend(owner, "points", b"r1", 20, GROCER, b"r1"),
        Reserve(owner, "points", HOLD.bytes, 90, HOLD),
        Capture(owner, "points", HOLD.bytes, 15, HOLD, "fuel", keep_rest=True),
        Earn(other, "points", b"r3", 5, FUEL),
        SpendLate(other, "points", b"t", 5, "grocer"),
        ClawBack(other, "points", b"r4", 5, FUEL, b"r3"),
    )
    return fresh_database


async def test_a_sound_ledger_has_no_findings(populated: FreshDatabase) -> None:
    verification = await verified(populated)
    assert verification.is_sound
    assert verification.findings == ()
    assert (verification.accounts, verification.lots, verification.holds) == (2, 4, 1)
    assert verification.transfers == 9


async def test_an_empty_ledger_is_sound(fresh_database: FreshDatabase) -> None:
    verification = await verified(fresh_database)
    assert verification.is_sound
    assert verification.accounts == 0


async def test_what_was_changed_behind_the_ledgers_back_is_found(populated: FreshDatabase) -> None:
    async with connected(populated) as admin:
        for disturbance, findings in DISTURBANCES:
            done = admin.transaction(isolation="repeatable_read")
            await done.start()
            assert not (await admin.execute(disturbance)).endswith(" 0"), disturbance
            verification = await verify(admin)
            found = {(one.check, one.what, one.stored, one.computed) for one in verification.findings}
            assert found == findings, disturbance
            assert verification.findings_total == len(verification.findings)
            await done.rollback()
        assert (await verify(admin)).is_sound


async def test_debts_from_before_they_had_rows_are_worked_out_by_the_migration(
    database_of: Callable[[str], Database], fresh_database: FreshDatabase
) -> None:
    """What was owed first was cleared first, without a name: what is left is of the latest claw-backs."""
    accrual, redemption = database_of("accrual"), database_of("redemption")
    owner, merged = new_id(), new_id()
    earned = ((merged, GROCER), (owner, FUEL), (owner, GROCER))
    await posted(accrual, *(Earn(one, "points", b"r", 7, terms) for one, terms in earned))
    await posted(redemption, *(SpendLate(one, "points", b"t", 14, "cinema") for one in (owner, merged)))
    for one, terms in earned:
        await posted(accrual, ClawBack(one, "points", b"return", 7, terms, b"r"))
    await accrual.run(lambda transaction: merge(transaction, merged, owner))
    await posted(accrual, Earn(owner, "points", b"later", 10, FUEL))
    migration = importlib.import_module("shared.ledger.migrations.0003_more_ways")
    rows = "select issuer, reference, owed_since, owed from ledger_debts where owed > 0 order by owed_since"
    async with connected(fresh_database) as admin:
        before = await admin.fetch(rows)
        await admin.execute("delete from ledger_debts")
        await admin.execute("update ledger_transfers set partner_id = null where purpose in ('clear_debt', 'merge')")
        await admin.execute(migration.WORK_OUT_DEBTS)
        assert await admin.fetch(rows) == before
        assert [(row["issuer"], row["owed"]) for row in before] == [("fuel", 4), ("grocer", 7)]
    assert (await verified(fresh_database)).is_sound


async def test_a_finding_names_account_lot_and_hold(populated: FreshDatabase) -> None:
    async with connected(populated) as admin:
        await admin.execute("update ledger_hold_lots set captured = captured + 1 where captured = 15")
    by_check = {found.check: found for found in (await verified(populated)).findings}
    part = by_check["hold's lot = transfers"]
    assert (part.point_type, part.account_id, part.lot_key, part.hold_id) == ("points", 1, GROCER.key, HOLD)
    assert part.subject == f"account 1, lot {GROCER.key.hex()}, hold {HOLD}"
    assert by_check["hold = its lots"].subject == f"account 1, hold {HOLD}"


async def test_a_finding_names_the_transfer(populated: FreshDatabase) -> None:
    async with connected(populated) as admin:
        await admin.execute("update ledger_transfers set partner_id = 'cinema' where transfer_id = 1")
    (found,) = (await verified(populated)).findings
    assert found.transfer_id == 1
    assert found.subject == f"transfer 1, account 1, lot {GROCER.key.hex()}"


async def test_findings_are_bounded_and_counted(
    database_of: Callable[[str], Database], fresh_database: FreshDatabase
) -> None:
    owners = FINDINGS_MAX + 20
    await posted(database_of("accrual"), *(Earn(new_id(), "points", b"r", 5, GROCER) for _ in range(owners)))
    async with connected(fresh_database) as admin:
        await admin.execute("update ledger_lots set remaining = 6, issuer = 'x'")
    verification = await verified(fresh_database)
    assert verification.findings_total == 4 * owners  # the lot, the account, the lot's key, and who issued it
    assert len(verification.findings) == 4 * FINDINGS_MAX


async def test_verifying_sees_one_moment_while_postings_go_on(
    database_of: Callable[[str], Database], fresh_database: FreshDatabase
) -> None:
    accrual = database_of("accrual")
    async with accrual.transaction() as transaction:
        await post(transaction, [Earn(new_id(), "points", b"r", 5, GROCER)])
        assert (await verified(fresh_database)).transfers == 0
    assert (await verified(fresh_database)).transfers == 1
