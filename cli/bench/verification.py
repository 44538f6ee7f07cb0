"""``tessera bench verify``: how long it takes to recompute a ledger of ten million transfers."""

import shutil
import time
from typing import Annotated

import asyncpg
import typer
import uvloop
from rich.console import Console

from cli.bench.own_stack import own_stack
from cli.bench.report import note_down
from cli.bench.stored_transfers import store_transfers
from cli.errors import CommandError
from cli.reading_ledger import reading
from deploy.local.stack import LocalStack
from shared.database import Database
from shared.database.roles import LEDGER_SERVICES, reader_name, role_name
from shared.ledger import Block, Sealer, Verification, verify


def measure_verification(
    transfers: Annotated[int, typer.Option(min=10_000, max=100_000_000, help="Transfers to recompute.")] = 10_000_000,
) -> None:
    """Measure how long the whole verification of a ledger takes, as ``tessera ledger verify`` does it.

    The ledger is filled with copies of a few owners' lives. Nothing else runs meanwhile; the database has just written
    all that, so that what fits is in memory.
    """
    console = Console()
    with own_stack(console, ()) as stack:
        verification, seconds, sealing_seconds = uvloop.run(_measure(stack, console, transfers))
    if not verification.is_sound:
        raise CommandError(f"the ledger does not agree: {verification.findings[:3]}")
    cells = (
        f"{verification.transfers:,}",
        f"{verification.accounts:,}",
        f"{verification.lots:,}",
        f"{verification.holds:,}",
        f"{seconds:.0f}",
        f"{verification.transfers / seconds:,.0f}",
        f"{verification.chain.blocks:,}",
        f"{verification.chain.transfers / sealing_seconds:,.0f}",
    )
    note_down("Verification", *cells)
    names = ("transfers", "accounts", "lots", "holds", "seconds", "transfers/s", "blocks", "sealed/s")
    console.print(", ".join(f"{name} {cell}" for name, cell in zip(names, cells, strict=True)), highlight=False)
    shutil.rmtree(stack.config.state_dir, ignore_errors=True)  # gigabytes


async def _seal(database: Database) -> float:
    """Everything, in passes as accrual's worker makes them."""
    sealed: list[Block] = []
    sealer = Sealer(database, sealed.append, age_seconds=0)
    began_seconds = time.perf_counter()
    before = -1
    while len(sealed) > before:
        before = len(sealed)
        await sealer.run()
    return time.perf_counter() - began_seconds


async def _measure(stack: LocalStack, console: Console, transfers: int) -> tuple[Verification, float, float]:
    service = LEDGER_SERVICES[0]
    admin = await asyncpg.connect(stack.admin_url, server_settings={"search_path": "ledger, platform"})
    database = Database(stack.database_url(role_name(service)))
    try:
        console.print(f"storing {transfers:,} transfers …", highlight=False)
        await store_transfers(admin, database, transfers)
        console.print("sealing …")
        sealing_seconds = await _seal(database)
        await admin.execute("vacuum analyze ledger_block_parts")
        await admin.execute("checkpoint")
    finally:
        await database.close()
        await admin.close()
    console.print("verifying …")
    url = stack.database_url(reader_name(service))
    async with reading(url) as reader, reading(url) as beside:
        began_seconds = time.perf_counter()
        verification = await verify(reader, beside=beside)
        return verification, time.perf_counter() - began_seconds, sealing_seconds
