"""``tessera ledger verify``, as an operator meets it."""

import asyncio
import json
from collections.abc import Callable
from datetime import date

import pytest
from typer.testing import CliRunner, Result

from cli.ledger import EXIT_UNSOUND
from cli.main import app
from shared.database import Database
from shared.database.roles import reader_name
from shared.ids import new_id
from shared.ledger import Earn, LotTerms
from tests.support.databases import FreshDatabase
from tests.support.ledger_chain import sealed
from tests.support.ledger_database import connected, posted

TERMS = LotTerms("grocer", date(2026, 3, 1), None)


async def run(url: str, *arguments: str) -> Result:
    """The command starts an event loop of its own, so it runs in a thread."""
    environment = {"TESSERA_DATABASE_URL": url, "COLUMNS": "250"}
    return await asyncio.to_thread(CliRunner().invoke, app, ["ledger", "verify", *arguments], env=environment)


@pytest.fixture
async def earned(database_of: Callable[[str], Database], fresh_database: FreshDatabase) -> FreshDatabase:
    await posted(database_of("accrual"), Earn(new_id(), "points", b"r", 5, TERMS))
    return fresh_database


@pytest.mark.parametrize("role", [None, reader_name("redemption")])
async def test_a_sound_ledger_ends_with_zero(earned: FreshDatabase, role: str | None) -> None:
    result = await run(earned.admin_url if role is None else earned.url(role))
    assert result.exit_code == 0
    assert "Read 1 transfers, 1 accounts, 1 lots, 0 holds." in result.stdout
    assert "Every amount agrees." in result.stdout


async def test_what_does_not_agree_is_named_and_the_exit_code_says_so(earned: FreshDatabase) -> None:
    async with connected(earned) as admin:
        await admin.execute("update ledger_lots set remaining = 4")
    result = await run(earned.url(reader_name("accrual")))
    assert result.exit_code == EXIT_UNSOUND
    assert f"account 1, lot {TERMS.key.hex()}" in result.stdout
    assert "2 amounts do not agree." in result.stdout
    as_json = await run(earned.url(reader_name("accrual")), "--json")
    assert as_json.exit_code == EXIT_UNSOUND
    report = json.loads(as_json.stdout)
    assert (report["is_sound"], report["findings_total"]) == (False, 2)
    assert {
        "check": "lot = transfers",
        "point_type": "points",
        "account_id": 1,
        "lot_key": TERMS.key.hex(),
        "hold_id": None,
        "what": "remaining",
        "stored": 4,
        "computed": 5,
    } in report["findings"]


async def test_it_says_the_chains_head_and_takes_one_that_was_kept(
    earned: FreshDatabase, database_of: Callable[[str], Database]
) -> None:
    reader = earned.url(reader_name("accrual"))
    assert "No transfer is sealed yet, 1 more wait to be sealed." in (await run(reader)).stdout
    (block,) = await sealed(database_of("accrual"))
    result = await run(reader)
    assert "The chain seals 1 transfers in 1 blocks, none wait." in result.stdout
    assert block.head in result.stdout
    chain = json.loads((await run(reader, "--json", "--head", block.head)).stdout)["chain"]
    assert (chain["blocks"], chain["transfers"], chain["head"], chain["waiting"]) == (1, 1, block.head, 0)
    async with connected(earned) as admin:
        await admin.execute("update ledger_transfers set reference = 'another'")
    changed = await run(reader, "--head", f"2:{'0' * 64}")
    assert changed.exit_code == EXIT_UNSOUND
    assert "block 1, transfer 1, account 1" in changed.stdout
    assert "cut off: the chain ends before it" in changed.stdout
    assert (await run(reader, "--head", "nonsense")).exit_code == 1


async def test_a_ledger_that_cannot_be_read_is_neither_sound_nor_unsound(fresh_database: FreshDatabase) -> None:
    result = await run(fresh_database.url(reader_name("members")))
    assert result.exit_code == 1
    assert "could not be read" in result.stderr
