"""How the process of a backtest ends: in order, or saying that it failed, and nothing of what it read."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from subprocess import PIPE, STDOUT

import httpx2
import pytest

from services.accrual.backtest_process import EXIT_FAILED, BacktestJob
from services.accrual.backtesting import COMMAND
from services.accrual.repository import backtests
from services.accrual.repository.stored_documents import compress
from shared.database.roles import reader_name, role_name
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import new_member
from tests.support.backtests import asked
from tests.support.databases import FreshDatabase
from tests.support.receipts import NOON, enrolled, purchase
from tests.support.registries import bearing
from tests.support.rule_sets import drafted, rules_document

ANNAS = "anna.smith@example.com"


@pytest.fixture(scope="module")
async def module_accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database) as accrual:
        yield accrual


async def test_one_that_is_done_ends_in_order_while_its_worker_lives(
    client: httpx2.AsyncClient, module_accrual: Accrual, module_database: FreshDatabase
) -> None:
    draft = (await drafted(client, rules_document(2))).rpartition("/")[2]
    path = await asked(client, draft, NOON.date() - timedelta(days=40))

    assert await ended(module_accrual, module_database) == (0, b"")
    assert (await client.get(path, headers=bearing())).json()["state"] == "done"


async def test_a_stored_document_that_cannot_be_read_is_no_fault_of_the_rules_and_is_not_shown(
    client: httpx2.AsyncClient, module_accrual: Accrual, module_database: FreshDatabase
) -> None:
    owner = new_member()
    await module_accrual.members(enrolled(owner))
    await module_accrual.award(purchase(1, 1_000, owner=owner))
    path = await asked(client, (await drafted(client, rules_document(2))).rpartition("/")[2], NOON.date())
    async with module_accrual.database.transaction() as transaction:
        broken = f'{{"type": "loyalty.purchase.recorded.v1", "data": {{"member_id": "{ANNAS}"}}}}'
        await transaction.raw.execute("update documents set event = $1", compress(broken.encode()))

    code, said = await ended(module_accrual, module_database)

    assert code == EXIT_FAILED
    assert b"a backtest failed" in said
    assert ANNAS.encode() not in said
    assert (await client.get(path, headers=bearing())).json()["state"] == "running"  # for whoever tries it next


async def ended(accrual: Accrual, database: FreshDatabase) -> tuple[int, bytes]:
    """The exit code of the next one's process, and all that it said."""
    claimed = await accrual.database.run(backtests.claim)
    assert claimed is not None
    job = BacktestJob(
        backtest_id=claimed.backtest_id,
        epoch=claimed.epoch,
        database_url=database.url(role_name("accrual")),
        reader_url=database.url(reader_name("accrual")),
        point_type="points",
        currency="USD",
        time_zone="UTC",
        parked_window_days=30,
        receipt_retro_days=90,
        log_level="info",
    )
    process = await asyncio.create_subprocess_exec(*COMMAND, stdin=PIPE, stdout=PIPE, stderr=STDOUT)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(job.model_dump_json().encode() + b"\n")
    await process.stdin.drain()
    said = await process.stdout.read()
    return await process.wait(), said
