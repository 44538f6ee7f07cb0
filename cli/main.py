"""``tessera``: the local stack, migrations, and the operator's tools."""

from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from cli import dead_letters, ledger, migrate, stack, token, topics, up
from cli.bench.command import bench
from cli.demo.command import demo
from cli.errors import CommandError
from deploy.local.errors import StackError

EPILOG = """
First steps, in a fresh checkout: [bold]tessera up[/bold] starts everything and prints the URLs and a token.
[bold]tessera token[/bold] prints another one. [bold]tessera stack status[/bold] says what runs.
"""


class ErrorsForPeople(TyperGroup):
    """An expected failure is a message and exit code 1; only a defect of ours shows a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (CommandError, StackError) as error:
            Console(stderr=True).print(f"Error: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=ErrorsForPeople,
    help="Tessera: a coalition loyalty programme, event by event. The tools of who runs and builds it.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    add_completion=False,
)
app.command("up")(up.up)
app.command("demo")(demo)
app.command("bench")(bench)
app.command("migrate")(migrate.migrate_database)
app.command("topics")(topics.make_topics)
app.command("token")(token.print_token)
app.add_typer(stack.app, name="stack")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(ledger.app, name="ledger")
