"""A partner's slice of the chain: written from the database, checked without it."""

import asyncio
import copy
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.ledger_slices import EXIT_BROKEN
from cli.main import app
from shared.database import Database
from shared.database.roles import reader_name
from shared.ids import new_id
from shared.ledger import (
    Capture,
    CheckedSlice,
    ClawBack,
    Earn,
    LotTerms,
    Reserve,
    SliceBrokenError,
    check_slice,
    export_slice,
    merge,
)
from tests.support.databases import FreshDatabase
from tests.support.ledger_chain import sealed
from tests.support.ledger_database import connected, posted

GROCER = LotTerms("grocer", date(2026, 3, 1), date(2127, 3, 1))
FUEL = LotTerms("fuel", date(2026, 3, 1), None)
Line = dict[str, Any]


@pytest.fixture
async def chained(database_of: Callable[[str], Database], fresh_database: FreshDatabase) -> FreshDatabase:
    """Of grocer: two rows in the first block, none in the second, three in the third, one of which clears its debt."""
    accrual, owner, other, hold_id = database_of("accrual"), new_id(), new_id(), new_id()
    await posted(
        accrual,
        Earn(owner, "points", b"r1", 100, GROCER),
        Earn(other, "points", b"r2", 40, GROCER),
        Earn(other, "points", b"r3", 30, FUEL),
    )
    await sealed(accrual)
    hold = Reserve(other, "points", hold_id.bytes, 60, hold_id)
    await posted(accrual, hold, Capture(other, "points", hold_id.bytes, 60, hold_id, "cinema"))
    await sealed(accrual)
    await posted(accrual, ClawBack(other, "points", b"return", 40, GROCER, b"r2"))
    await accrual.run(lambda transaction: merge(transaction, other, owner))
    await sealed(accrual)
    return fresh_database


async def sliced(database: FreshDatabase, partner_id: str, from_block: int = 1) -> list[Line]:
    async with connected(database, reader_name("accrual")) as connection:
        lines = [line async for line in export_slice(connection, partner_id, from_block)]
    return [json.loads(json.dumps(line)) for line in lines]


async def test_a_slice_proves_every_row_of_the_partner(chained: FreshDatabase) -> None:
    async with connected(chained) as admin:
        rows = await admin.fetch("select coalesce(partner_id, ''), count(*) from ledger_transfers group by 1")
    assert {partner_id for partner_id, _ in rows} == {"", "grocer", "fuel", "cinema"}
    for partner_id, count in rows:
        lines = await sliced(chained, partner_id)
        checked = check_slice(lines)
        assert checked == CheckedSlice(partner_id, 3, count, lines[0]["head"])
    assert check_slice(await sliced(chained, "nobody")).rows == 0


async def test_a_slice_names_no_member_and_no_other_partner(chained: FreshDatabase) -> None:
    written = json.dumps(await sliced(chained, "grocer"))
    async with connected(chained) as admin:
        owners = [row[0] for row in await admin.fetch("select owner_id from ledger_accounts")]
    for name in ("fuel", "cinema", *map(str, owners), *(owner.hex for owner in owners), b"merge:0".hex()):
        assert name not in written
    assert b"merge:".hex() in written  # what cleared debt in a merge names the grocer


async def test_a_slice_may_begin_anywhere_and_must_have_the_heads_that_were_kept(chained: FreshDatabase) -> None:
    whole, later = await sliced(chained, "grocer"), await sliced(chained, "grocer", 3)
    assert len(later) == 2
    assert check_slice(later).head == whole[0]["head"]
    kept = [f"{line['block']['block_number']}:{line['block']['hash']}" for line in whole[1:]]
    assert check_slice(whole, kept).blocks == 3
    with pytest.raises(SliceBrokenError, match="is not in the chain"):
        check_slice(whole, [f"2:{'0' * 64}"])


def _row(lines: list[Line]) -> Line:
    row: Line = lines[1]["parts"][0]["rows"][0]
    return row


BREAKING: tuple[tuple[Callable[[list[Line]], object], str], ...] = (
    (lambda lines: _row(lines).update(points=101), "block 1: its rows of .* are not those that were sealed"),
    (lambda lines: _row(lines).update(points=True), "block 1"),
    (lambda lines: _row(lines).update(partner_id="fuel"), "block 1: transfer 1 does not belong here"),
    (lambda lines: _row(lines).update(transfer_id=5_000), "block 1"),
    (lambda lines: _row(lines).update(more=1), "block 1"),
    (lambda lines: lines[1]["parts"][0]["rows"].pop(), "block 1: 2 rows of .* were sealed, here are 1"),
    (lambda lines: lines[1]["parts"][0]["rows"].append(_row(lines)), "block 1: 2 rows of .* were sealed, here are 3"),
    (lambda lines: lines[1]["parts"].append({"month": "2026-03-01"}), "block 1"),
    (lambda lines: lines[1]["parts"][0].update(month="2026-01-01"), "block 1: the rows of 2026-01 are not proven"),
    (lambda lines: lines[1]["parts"][0]["path"][0].update(place=2), "block 1"),
    (lambda lines: lines[1]["block"].update(transfers=1), "block 1: its hash does not follow"),
    (lambda lines: lines.pop(2), "block 3: it does not follow"),
    (lambda lines: lines.pop(1), "block 2: it does not follow"),
    (lambda lines: lines.pop(), "ends with 2:.* and not with the head"),
    (lambda lines: lines[0].update(tessera_slice=2), "format 1"),
    (lambda lines: lines.clear(), "format 1"),
    (lambda lines: lines[0].update(partner_id="fuel"), "block 1: transfer 1 does not belong here"),
)


async def test_what_does_not_follow_is_refused(chained: FreshDatabase) -> None:
    lines = await sliced(chained, "grocer")
    for breaking, message in BREAKING:
        broken = copy.deepcopy(lines)
        breaking(broken)
        with pytest.raises(SliceBrokenError, match=message):
            check_slice(broken)


async def _run(url: str, *arguments: str) -> Result:
    """The commands start an event loop of their own, so they run in a thread."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["ledger", *arguments], env={"TESSERA_DATABASE_URL": url})


async def test_the_commands_write_a_slice_and_check_it(chained: FreshDatabase, tmp_path: Path) -> None:
    file = tmp_path / "grocer.jsonl"
    written = await _run(chained.url(reader_name("accrual")), "slice", "--partner", "grocer", "--output", str(file))
    assert written.exit_code == 0
    head = json.loads(file.read_text().splitlines()[0])["head"]
    assert head in written.stdout.replace("\n", "")
    checked = await _run("", "check-slice", str(file), "--head", head)
    assert checked.exit_code == 0
    assert "rows of grocer's are as they were sealed, in 3 blocks" in checked.stdout
    file.write_text(file.read_text().replace('"points":100', '"points":101'))
    broken = await _run("", "check-slice", str(file))
    assert broken.exit_code == EXIT_BROKEN
    assert "block 1" in broken.stderr
    file.write_text("{")
    assert (await _run("", "check-slice", str(file))).exit_code == 1


async def test_a_chain_without_blocks_has_an_empty_slice(fresh_database: FreshDatabase) -> None:
    assert check_slice(await sliced(fresh_database, "grocer")) == CheckedSlice("grocer", 0, 0, None)
