"""``tessera ledger``: looking after the points ledger."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from cli.errors import CommandError
from cli.ledger_slices import check_partner_slice, write_slice
from cli.reading_ledger import read_head, reader_url, reading
from shared.ledger import Chain, Finding, Head, Verification, verify

EXIT_UNSOUND = 2  # 1 means that the ledger could not be read

app = typer.Typer(help="Look after the points ledger.", no_args_is_help=True)
app.command("slice")(write_slice)
app.command("check-slice")(check_partner_slice)


@app.callback()
def ledger() -> None:
    """Look after the points ledger."""


@app.command("verify")
def verify_ledger(
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
    head: Annotated[
        list[str] | None, typer.Option("--head", help="NUMBER:HASH that was said of the chain before. May be repeated.")
    ] = None,
) -> None:
    """Recompute every amount of the ledger and name what does not agree. Postings go on meanwhile.

    Accounts from their transfers, lots, holds and debts; lots, holds, debts and lapses from their transfers; what
    owners have from what partners issued and took; each transfer's legs from the chart of accounts and its lot.
    Reads the database in TESSERA_DATABASE_URL (give a role without time limits, such as tessera_accrual_reader), else
    the local stack's.

    Then the sealed chain: that every block follows the one before it, and every transfer that was sealed is as it was;
    what was changed, removed or inserted is named. It says the chain's head at the end. Keep it elsewhere: with --head
    it shows whether the chain was cut off or written anew since.

    Exit code: 0 when all agrees, 2 when something does not, 1 when the ledger could not be read.
    """
    try:
        verification = asyncio.run(_verify(reader_url(), [read_head(text) for text in head or ()]))
    except (OSError, asyncpg.PostgresError) as error:
        raise CommandError(f"The ledger could not be read: {error}") from error
    if as_json:
        typer.echo(json.dumps(_as_data(verification)))
    else:
        _show(verification)
    if not verification.is_sound:
        raise typer.Exit(EXIT_UNSOUND)


async def _verify(url: str, heads: list[Head]) -> Verification:
    async with reading(url) as connection, reading(url) as beside:
        return await verify(connection, beside=beside, heads=heads)


def _as_data(verification: Verification) -> dict[str, object]:
    return {
        "is_sound": verification.is_sound,
        "accounts": verification.accounts,
        "transfers": verification.transfers,
        "lots": verification.lots,
        "holds": verification.holds,
        "chain": _chain_data(verification.chain),
        "findings_total": verification.findings_total,
        "findings": [_finding_data(finding) for finding in verification.findings],
    }


def _chain_data(chain: Chain) -> dict[str, object]:
    sealed_at, waiting_since = chain.sealed_at, chain.waiting_since
    return {
        "blocks": chain.blocks,
        "transfers": chain.transfers,
        "head": chain.head,
        "sealed_at": None if sealed_at is None else sealed_at.isoformat(),
        "waiting": chain.waiting,
        "waiting_since": None if waiting_since is None else waiting_since.isoformat(),
    }


def _finding_data(finding: Finding) -> dict[str, object]:
    """As a script reads it; of transfers and blocks only where the finding is about one."""
    lot_key, hold_id = finding.lot_key, finding.hold_id
    of_few = ("transfer_id", "block_number")
    data = {name: value for name, value in asdict(finding).items() if value is not None or name not in of_few}
    return data | {
        "lot_key": None if lot_key is None else lot_key.hex(),
        "hold_id": None if hold_id is None else str(hold_id),
    }


def _show(verification: Verification) -> None:
    console = Console()
    console.print(
        f"Read {verification.transfers:,} transfers, {verification.accounts:,} accounts, {verification.lots:,} lots,"
        f" {verification.holds:,} holds.",
        highlight=False,
    )
    _show_chain(console, verification.chain)
    if verification.is_sound:
        console.print("Every amount agrees.", style="green")
        return
    table = Table("check", "where", "point type", "what", "stored", "computed", show_edge=False, pad_edge=False)
    for finding in verification.findings:
        amounts = ("-" if amount is None else f"{amount:,}" for amount in (finding.stored, finding.computed))
        table.add_row(finding.check, finding.subject, finding.point_type or "-", finding.what, *amounts)
    console.print(table)
    hidden = verification.findings_total - len(verification.findings)
    more = f" ({hidden:,} more are not shown)" if hidden else ""
    console.print(f"{verification.findings_total:,} amounts do not agree{more}.", style="red")


def _show_chain(console: Console, chain: Chain) -> None:
    waiting = f"{chain.waiting:,} more wait to be sealed" if chain.waiting else "none wait"
    if chain.head is None:
        console.print(f"No transfer is sealed yet, {waiting}.", highlight=False)
        return
    console.print(
        f"The chain seals {chain.transfers:,} transfers in {chain.blocks:,} blocks, {waiting}. Its head, of"
        f" {chain.sealed_at:%Y-%m-%d %H:%M:%S %Z}:",
        highlight=False,
    )
    console.print(chain.head, highlight=False, soft_wrap=True)
