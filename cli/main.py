"""``tessera``: the local stack, migrations, and the operator's tools."""

from importlib import import_module
from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from cli.errors import CommandError
from deploy.local.errors import StackError

EPILOG = """
First steps, in a fresh checkout: [bold]tessera up[/bold] starts everything and prints the URLs and a token.
[bold]tessera token[/bold] prints another one. [bold]tessera stack status[/bold] says what runs.
"""

# Command, where its function or typer app is, and its line in the help. A module is imported only when its command is
# called: that keeps commands quick, and those of the local stack out of the image, which has no use for them.
COMMANDS = (
    ("up", "cli.up:up", "Start the whole local stack and keep it running until Ctrl-C."),
    ("demo", "cli.demo.command:demo", "Play real receipts through all services, and tell what happened."),
    ("backtest", "cli.backtest:backtest", "Judge receipts of the past by a rule set, beside what was awarded."),
    ("bench", "cli.bench.command:app", "Measure: pipelines through Kafka, the registry of members over HTTP."),
    ("migrate", "cli.migrate:migrate_database", "Bring the database to this version; before its services start."),
    ("clock", "cli.clock:app", "The local stack's test clock: show business time, or move it ahead."),
    ("topics", "cli.topics:make_topics", "Create the topics that are missing."),
    ("token", "cli.token:print_token", "Print a bearer token of the local stack."),
    ("stack", "cli.stack:app", "Look at the local stack from another terminal: status, logs, settings, secrets."),
    ("dead-letters", "cli.dead_letters:app", "What services could not handle: list, show, replay, discard."),
    ("ledger", "cli.ledger:app", "Look at the points ledger, and check that it adds up."),
)
_PLACES = {name: place for name, place, _ in COMMANDS}


class CommandsOnDemand(TyperGroup):
    """Finds a command when it is called. An expected failure is a message and exit code 1, without a traceback."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, placeholder, rest = super().resolve_command(ctx, args)
        return name, placeholder if name is None else _load(name), rest

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (CommandError, StackError) as error:
            Console(stderr=True).print(f"Error: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=CommandsOnDemand,
    help="Tessera: a coalition loyalty programme, event by event. The tools of who runs and builds it.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    add_completion=False,
)


def _placeholder() -> None:
    """Stands in the help; what is called is loaded in its place."""


for _name, _, _help in COMMANDS:
    app.command(_name, help=_help)(_placeholder)


def _load(name: str) -> Any:
    module, _, attribute = _PLACES[name].partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        return typer.main.get_group(found)
    single = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_show_locals=False)
    single.command(name)(found)
    return typer.main.get_command(single)
