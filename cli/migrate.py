"""``tessera migrate``: schemas, roles and privileges, brought to what this version declares."""

import asyncio
import json
import os
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.errors import CommandError
from cli.passwords import passwords_from_environment
from deploy.local.config import DATABASE_URL_VARIABLE, StackConfig
from deploy.local.services import local_admin_url
from deploy.local.stack_secrets import load_secrets

if TYPE_CHECKING:
    from shared.database.migrate import Migrated


def migrate_database(as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False) -> None:
    """Bring the database to this version. Run it before the services of this version start.

    With TESSERA_DATABASE_URL (a role that owns the database and may create roles) it migrates that database, and takes
    the services' passwords from TESSERA_PASSWORD_ACCRUAL and so on; without, the local stack's, which must be running.
    Safe to repeat: what is done is not done again, and two at once wait for each other.
    """
    import asyncpg
    from sqlalchemy.exc import DBAPIError

    from shared.database.migrate import migrate

    if url := os.environ.get(DATABASE_URL_VARIABLE):
        passwords = passwords_from_environment()
    else:
        config = StackConfig.from_environment()
        secrets = load_secrets(config.secrets_file)
        url, passwords = local_admin_url(config, secrets), dict(secrets.role_passwords)
    try:
        report = asyncio.run(migrate(url, passwords))
    except (OSError, asyncpg.PostgresError, DBAPIError) as error:
        raise CommandError(f"The database could not be migrated: {_first_line(error)}") from error
    _show(report, as_json=as_json)


def _show(report: "list[Migrated]", *, as_json: bool) -> None:
    if as_json:
        entries = [{"component": step.schema, "before": step.before, "after": step.after} for step in report]
        typer.echo(json.dumps(entries))
        return
    table = Table("component", "was", "is", show_edge=False, pad_edge=False)
    for step in report:
        table.add_row(step.schema, step.before or "-", step.after or "-", style=None if step.is_change else "dim")
    Console().print(table)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
