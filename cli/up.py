"""``tessera up``: the whole stack in the foreground."""

import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.errors import CommandError
from deploy.local.config import StackConfig
from deploy.local.progress import ConsoleReporter
from deploy.local.services import FLEET

if TYPE_CHECKING:
    from deploy.local.stack import LocalStack

WATCH_SECONDS = 0.5
PURPOSES = {
    "members": "enrol members, link identifiers, resolve them",
    "coalition": "partners, stores, tills, tokens",
    "accrual": "post receipts, rule sets",
    "redemption": "balances, holds, captures",
    "fraud": "cases and decisions",
    "notifications": "messages",
}


def up(
    servers_only: Annotated[
        bool,
        typer.Option("--servers-only", help="PostgreSQL, Kafka and the mail sink alone, migrated and with topics."),
    ] = False,
) -> None:
    """Start the whole local stack and keep it running until Ctrl-C.

    PostgreSQL and Kafka come from Python packages; their data, logs and secrets are below .tessera/ and are still there
    the next time. A process that crashes is reported with its last log lines and started again.

    Settings: TESSERA_STATE_DIR (another folder), TESSERA_PORT_OFFSET (shift all ports), TESSERA_CACHE_DIR (where Kafka
    is kept), TESSERA_DATABASE_URL and TESSERA_KAFKA_BOOTSTRAP_SERVERS (servers that are there already).
    """
    from deploy.local.stack import LocalStack  # it needs packages that only a machine with a local stack has

    console = Console()
    stack = LocalStack(
        StackConfig.from_environment(), fleet=() if servers_only else FLEET, reporter=ConsoleReporter(console)
    )
    for signal_number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, _interrupt)
    try:
        with stack:
            _show(console, stack, with_services=not servers_only)
            _wait(stack.failed)
    except KeyboardInterrupt:
        console.print("Stopped.")


def _interrupt(signal_number: int, frame: FrameType | None) -> None:
    del frame
    raise KeyboardInterrupt(signal.Signals(signal_number).name)


def _wait(failed: threading.Event) -> None:
    while not failed.wait(WATCH_SECONDS):
        pass
    raise CommandError("A process ended too often (see above); everything was stopped.")


def _show(console: Console, stack: "LocalStack", *, with_services: bool) -> None:
    table = Table(title="Tessera is up", title_justify="left", show_edge=False, pad_edge=False)
    table.add_column("what", style="bold")
    table.add_column("where")
    table.add_column("for")
    if with_services:
        for service, purpose in PURPOSES.items():
            table.add_row(service, f"{stack.url(service)}/docs", purpose)
    table.add_row("PostgreSQL", stack.admin_url.rpartition("@")[2], "tessera stack database-url")
    table.add_row("Kafka", stack.bootstrap_servers, "topics loyalty.*")
    table.add_row("e-mail", str(stack.config.mail_dir), "what was sent, as files")
    table.add_row("logs", str(stack.config.log_dir), "one file a process")
    console.print(table)
    if with_services:
        _show_examples(console, stack)
    console.print("\nCtrl-C stops everything; the data stay.", highlight=False)


def _show_examples(console: Console, stack: "LocalStack") -> None:
    lines = (
        "",
        "A token with every scope, good for 15 minutes (tessera token makes another):",
        f"export TOKEN={stack.token('admin')}",
        "",
        f'curl -H "Authorization: Bearer $TOKEN" {stack.url("coalition")}/v1/partners',
        'curl -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: first" -H "Content-Type: application/json" \\',
        f'     -d \'{{"partner_id": "grocer", "name": "Corner Grocer"}}\' {stack.url("coalition")}/v1/partners',
    )
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
