"""What was sealed stays as it was, or is named."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest

from shared.database import Database
from shared.database.roles import reader_name
from shared.ids import new_id
from shared.ledger import (
    Capture,
    Chain,
    ClawBack,
    Earn,
    Give,
    Head,
    LotTerms,
    Reserve,
    check_slice,
    export_slice,
    merge,
    verify,
)
from shared.ledger.chain import LOWEST_ID, ROW_COLUMNS, Part, block_hash, part_hash, root_of, row_hash
from shared.ledger.chain_verification import verify_chain
from shared.ledger.sealed_parts import PARTS
from tests.support.databases import FreshDatabase
from tests.support.ledger_chain import rows_of, sealed
from tests.support.ledger_database import connected, posted, verified

GROCER = LotTerms("grocer", date(2026, 3, 1), date(2127, 3, 1))
FUEL = LotTerms("fuel", date(2026, 3, 1), None)
OWNER, OTHER, HOLD = UUID(int=1), UUID(int=2), UUID(int=42)
Opened = Callable[[str], Database]


@pytest.fixture
def accrual(database_of: Opened) -> Database:
    return database_of("accrual")


@pytest.fixture
async def chained(accrual: Database, fresh_database: FreshDatabase) -> FreshDatabase:
    """Three blocks: transfers 1 to 4, then 5 to 7, then 8."""
    await posted(
        accrual,
        Earn(OWNER, "points", b"r1", 100, GROCER),
        Earn(OWNER, "points", b"r2", 50, FUEL),
        Reserve(OWNER, "points", HOLD.bytes, 60, HOLD),
        Capture(OWNER, "points", HOLD.bytes, 60, HOLD, "cinema"),
    )
    await sealed(accrual)
    await posted(
        accrual,
        Earn(OTHER, "points", b"r3", 30, GROCER),
        Earn(OTHER, "points", b"r4", 5, GROCER),
        Give(OTHER, "points", b"g", OWNER, "gift", 10),
    )
    await sealed(accrual)
    await posted(accrual, Earn(OTHER, "points", b"r5", 7, FUEL))
    await sealed(accrual)
    return fresh_database


async def walked(fresh_database: FreshDatabase, *heads: Head) -> Chain:
    async with connected(fresh_database, reader_name("accrual")) as connection:
        return (await verify(connection, heads=heads)).chain


async def test_a_sealed_ledger_is_sound_and_says_its_head(accrual: Database, chained: FreshDatabase) -> None:
    chain = await walked(chained)
    assert (chain.blocks, chain.transfers, chain.waiting, chain.findings) == (3, 8, 0, ())
    assert chain.head is not None
    assert chain.head.startswith("3:")
    await posted(accrual, Earn(OWNER, "points", b"r6", 1, GROCER))
    later = await walked(chained, Head.read(chain.head))
    assert (later.waiting, later.head, later.findings) == (1, chain.head, ())


async def test_the_database_hashes_as_the_pure_chain_does(accrual: Database, chained: FreshDatabase) -> None:
    """Rows, parts and blocks, with every column that may be absent, and a merge; several families of rows in a part."""
    many = [Earn(new_id(), "points", f"r{number}".encode(), 1, GROCER) for number in range(40)]
    await posted(accrual, *many)
    (block,) = await sealed(accrual)
    rows = [row for row in await rows_of(chained) if row.transfer_id >= block.first_transfer_id]
    (month,) = {row.business_time.date().replace(day=1) for row in rows}
    part = Part(month, "grocer", 40, root_of([row_hash(row) for row in rows]))
    assert block.root == root_of([part_hash(part)])
    assert block.hash == block_hash(block)
    await accrual.run(lambda transaction: merge(transaction, OTHER, OWNER))
    expected: dict[tuple[date, str], list[bytes]] = defaultdict(list)
    for row in await rows_of(chained):
        expected[month, row.partner_id or ""].append(row_hash(row))
    async with connected(chained) as admin:
        parts = await admin.fetch(PARTS, LOWEST_ID, 2**62, [LOWEST_ID], [2**62])
    assert {(row["month"], row["partner_id"]): row["root"] for row in parts} == {
        key: root_of(leaves) for key, leaves in expected.items()
    }


# What somebody with the administrator's rights did, and what must be named: block, transfer, what.
TAMPERING: tuple[tuple[str, set[tuple[int, int | None, str]]], ...] = (
    ("update ledger_transfers set points = points # 1 where transfer_id = 5", {(2, 5, "changed")}),
    ("update ledger_transfers set posted_at = posted_at + interval '1 us' where transfer_id = 5", {(2, 5, "changed")}),
    ("update ledger_transfers set partner_id = 'fuel' where transfer_id = 1", {(1, 1, "changed")}),
    (
        "update ledger_transfers set business_time = business_time + interval '1 month' where transfer_id = 8",
        {(3, 8, "changed")},
    ),
    ("delete from ledger_transfers where transfer_id = 6", {(2, 6, "removed")}),
    ("delete from ledger_transfers where transfer_id between 5 and 7", {(2, n, "removed") for n in (5, 6, 7)}),
    (
        """
        insert into ledger_transfers
            (transfer_id, account_id, purpose, debit, credit, partner_id, points, reference, credit_lot, business_time)
            overriding system value
        select number, account_id, purpose, debit, credit, partner_id, points, reference, credit_lot, business_time
        from ledger_transfers, unnest(array[-7, 0, 5]) as number
        where transfer_id = 5
        """,
        {(1, -7, "inserted"), (1, 0, "inserted"), (2, 5, "inserted")},
    ),
    (
        "update ledger_transfers set transfer_id = default where transfer_id = 6",
        {(2, 6, "removed")},
    ),
    (
        "update ledger_block_parts set listed = listed || listed, transfers = 2 where block_number = 3",
        {
            (3, None, "changed: its root does not follow from its parts"),
            (3, 8, "removed"),
        },
    ),
    (
        "update ledger_block_parts set root = sha256('x') where block_number = 3",
        {
            (3, None, "changed: its root does not follow from its parts"),
            (3, None, "changed: what it says of fuel's rows of {month}"),
        },
    ),
    (
        "delete from ledger_block_parts where block_number = 3",
        {(3, None, "changed: its root does not follow from its parts"), (3, 8, "inserted")},
    ),
    (
        "update ledger_blocks set sealed_at = sealed_at - interval '1 day' where block_number = 2",
        {(2, None, "changed: its hash does not follow from what it says")},
    ),
    (
        "update ledger_blocks set hash = sha256('x') where block_number = 2",
        {
            (2, None, "changed: its hash does not follow from what it says"),
            (3, None, "changed: it does not follow the block before it"),
        },
    ),
    ("delete from ledger_blocks where block_number = 2", {(2, None, "removed")}),
    ("delete from ledger_blocks where block_number = 1", {(1, None, "removed")}),
    ("delete from ledger_blocks where block_number = 3", {(3, None, "removed: its parts are still there")}),
)


async def test_what_was_changed_removed_or_inserted_is_named(chained: FreshDatabase) -> None:
    async with connected(chained) as admin:
        month = f"{await admin.fetchval('select max(month) from ledger_block_parts'):%Y-%m}"
        for statement, named in TAMPERING:
            done = admin.transaction(isolation="repeatable_read")
            await done.start()
            assert not (await admin.execute(statement)).endswith(" 0"), statement
            chain = (await verify(admin)).chain
            found = {(one.block_number, one.transfer_id, one.what) for one in chain.findings}
            assert found == {(number, row, what.format(month=month)) for number, row, what in named}, statement
            assert chain.findings_total == len(chain.findings)
            await done.rollback()
        assert (await verify(admin)).is_sound


# Another value of each type, whatever stood there.
OTHERWISE = {
    20: "coalesce({column}, 0) + 1000",
    25: "coalesce({column}, '') || 'x'",
    17: "coalesce({column}, '') || '\\x00'::bytea",
    2950: "gen_random_uuid()",
    1184: "{column} + interval '1 microsecond'",
}


async def test_a_change_of_any_column_of_any_row_is_named(chained: FreshDatabase) -> None:
    async with connected(chained) as admin:
        rules = "select conname from pg_constraint where conrelid = 'ledger_transfers'::regclass and contype = 'c'"
        for (rule,) in await admin.fetch(rules):
            await admin.execute(f"alter table ledger_transfers drop constraint {rule}")
        last_rows = [row[0] for row in await admin.fetch("select last_transfer_id from ledger_blocks")]
        for column, type_number in ROW_COLUMNS.items():
            if column == "transfer_id":  # another number is another row: one is removed, one inserted
                continue
            for transfer_id in last_rows:
                done = admin.transaction(isolation="repeatable_read")
                await done.start()
                otherwise = OTHERWISE[type_number].format(column=column)
                changing = f"update ledger_transfers set {column} = {otherwise} where transfer_id = $1"
                await admin.execute(changing, transfer_id)
                found = (await verify_chain(admin)).findings
                assert [(one.transfer_id, one.what) for one in found] == [(transfer_id, "changed")], column
                await done.rollback()
        assert (await verify(admin)).is_sound


async def test_what_is_archived_and_taken_away_is_vouched_for_by_the_roots_that_stay(chained: FreshDatabase) -> None:
    """Slices of all partners are a month's archive: they go on to check, against the same blocks."""
    async with connected(chained) as admin:
        partners = [row[0] for row in await admin.fetch("select distinct partner_id from ledger_block_parts")]
        archive = {partner: [line async for line in export_slice(admin, partner)] for partner in partners}
        months = [row[0] for row in await admin.fetch("select distinct tableoid::regclass::text from ledger_transfers")]
        for month in months:
            await admin.execute(f"drop table {month}")
        chain = (await verify(admin)).chain
        roots = await admin.fetch("select block_number, partner_id, root from ledger_block_parts")
    assert {found.what for found in chain.findings} == {"removed"}  # rows, no block: the chain stands
    assert sum(check_slice(lines).rows for lines in archive.values()) == chain.transfers == 8
    assert {lines[0]["head"] for lines in archive.values()} == {chain.head}
    archived = {
        (line["block"]["block_number"], partner, bytes.fromhex(part["root"]))
        for partner, lines in archive.items()
        for line in lines[1:]
        for part in line["parts"]
    }
    assert archived == {tuple(row) for row in roots}


async def test_a_tail_that_was_cut_off_is_found_by_a_head_that_was_kept(
    accrual: Database, chained: FreshDatabase
) -> None:
    kept = Head.read((await walked(chained)).head or "")
    async with connected(chained) as admin:
        await admin.execute("delete from ledger_blocks where block_number = 3")
        await admin.execute("delete from ledger_block_parts where block_number = 3")
    cut = await walked(chained, kept)
    assert [(found.block_number, found.what) for found in cut.findings] == [(3, "cut off: the chain ends before it")]
    assert cut.waiting == 1
    await sealed(accrual)  # and sealed anew: the chain agrees with itself, but not with what was kept
    anew = await walked(chained, kept)
    assert [(found.block_number, found.what) for found in anew.findings] == [(3, "another hash was kept")]
    assert (await walked(chained)).findings == ()


async def test_a_finding_names_block_transfer_and_account(chained: FreshDatabase) -> None:
    async with connected(chained) as admin:
        await admin.execute("update ledger_transfers set reference = 'another' where transfer_id = 5")
        account_id = await admin.fetchval("select account_id from ledger_accounts where owner_id = $1", OTHER)
    (found,) = (await verified(chained)).findings
    assert (found.check, found.subject) == ("the chain", f"block 2, transfer 5, account {account_id}")


async def test_merging_and_erasing_owners_leave_the_chain_as_it_is(accrual: Database, chained: FreshDatabase) -> None:
    """Hashes know accounts, no members: a merge is a transfer more, and what it is called by is not covered."""
    await accrual.run(lambda transaction: merge(transaction, OTHER, OWNER))
    await sealed(accrual)
    async with connected(chained) as admin:
        erased = (
            "update ledger_transfers set reference = 'merge:' where starts_with(reference::text, '\\x6d657267653a')"
        )
        await admin.execute("update ledger_accounts set owner_id = gen_random_uuid() where owner_id = $1", OWNER)
        assert not (await admin.execute(erased)).endswith(" 0")
    assert (await walked(chained)).findings == ()


async def test_a_claw_back_into_debt_is_the_issuers_row(accrual: Database, chained: FreshDatabase) -> None:
    await posted(accrual, ClawBack(OTHER, "points", b"return", 99, GROCER, b"r3"))
    await sealed(accrual)
    async with connected(chained) as admin:
        parts = await admin.fetch("select partner_id, transfers from ledger_block_parts where block_number = 4")
    assert "grocer" in {part["partner_id"] for part in parts}
    assert (await verified(chained)).is_sound
