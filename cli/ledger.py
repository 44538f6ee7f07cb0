"""``tessera ledger``: looking after the points ledger."""

import asyncio
import json
import os
from dataclasses import asdict
from typing import Annotated

import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from cli.errors import CommandError
from deploy.local.config import DATABASE_URL_VARIABLE, StackConfig
from deploy.local.services import database_url_of, local_admin_url
from deploy.local.stack_secrets import load_secrets
from shared.database.roles import LEDGER_SERVICES, reader_name
from shared.ledger import Finding, Verification, verify

CONNECT_SECONDS_MAX = 5.0
EXIT_UNSOUND = 2  # 1 means that the ledger could not be read

app = typer.Typer(help="Look after the points ledger.", no_args_is_help=True)


@app.callback()
def ledger() -> None:
    """Look after the points ledger."""


@app.command("verify")
def verify_ledger(as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False) -> None:
    """Recompute every amount of the ledger and name what does not agree. Postings go on meanwhile.

    Accounts from their transfers, lots, holds and debts; lots, holds, debts and lapses from their transfers; what
    owners have from what partners issued and took; each transfer's legs from the chart of accounts and its lot.
    Reads the database in TESSERA_DATABASE_URL (give a role without time limits, such as tessera_accrual_reader), else
    the local stack's.

    Exit code: 0 when all agrees, 2 when something does not, 1 when the ledger could not be read.
    """
    try:
        verification = asyncio.run(_verify(os.environ.get(DATABASE_URL_VARIABLE) or _local_reader_url()))
    except (OSError, asyncpg.PostgresError) as error:
        raise CommandError(f"The ledger could not be read: {error}") from error
    if as_json:
        typer.echo(json.dumps(_as_data(verification)))
    else:
        _show(verification)
    if not verification.is_sound:
        raise typer.Exit(EXIT_UNSOUND)


async def _verify(url: str) -> Verification:
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS_MAX, server_settings={"search_path": "ledger"})
    try:
        return await verify(connection)
    finally:
        await connection.close()


def _local_reader_url() -> str:
    config = StackConfig.from_environment()
    secrets = load_secrets(config.secrets_file)
    return database_url_of(local_admin_url(config, secrets), secrets, reader_name(LEDGER_SERVICES[0]))


def _as_data(verification: Verification) -> dict[str, object]:
    return {
        "is_sound": verification.is_sound,
        "accounts": verification.accounts,
        "transfers": verification.transfers,
        "lots": verification.lots,
        "holds": verification.holds,
        "findings_total": verification.findings_total,
        "findings": [_finding_data(finding) for finding in verification.findings],
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
