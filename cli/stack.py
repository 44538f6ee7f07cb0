"""``tessera stack …``: looking at the local stack from another terminal."""

import json
import shlex
from typing import Annotated

import httpx2
import typer
from rich.console import Console
from rich.table import Table

from cli.errors import CommandError
from deploy.local.children import LOG_TAIL_LINES, tail_of
from deploy.local.compose_secrets import env_file
from deploy.local.config import StackConfig
from deploy.local.ports import HOST, is_listened_to
from deploy.local.services import FLEET, ServiceSpec, database_url_of, environment_of, local_admin_url
from deploy.local.stack_secrets import StackSecrets, load_secrets

ANSWER_SECONDS_MAX = 2.0

app = typer.Typer(help="Look at the local stack from another terminal.", no_args_is_help=True)


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="The same as JSON.")] = False) -> None:
    """What runs, where, and whether it is ready. The exit code is 0 only when all of it is."""
    config = StackConfig.from_environment()
    found = {
        "postgres": _listening(config.ports.postgres),
        "kafka": _listening(config.ports.kafka),
        "mail-sink": _listening(config.ports.smtp),
    }
    found |= {spec.label: _readiness(spec.port(config)) for spec in FLEET}
    if as_json:
        typer.echo(json.dumps({name: {"port": port, "state": state} for name, (port, state) in found.items()}))
    else:
        table = Table("process", "port", "state", show_edge=False, pad_edge=False)
        for name, (port, state) in found.items():
            table.add_row(name, str(port), state, style="red" if state == "down" else None)
        Console().print(table)
    if any(state != "ready" for _, state in found.values()):
        raise typer.Exit(1)


@app.command()
def logs(
    process: Annotated[str | None, typer.Argument(help="A process's name, as in the status; none lists them.")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last lines.")] = LOG_TAIL_LINES,
) -> None:
    """The last log lines of one process of the stack; how it ended, if it crashed."""
    folder = StackConfig.from_environment().log_dir
    names = sorted(path.stem for path in folder.glob("*.log"))
    if process is None:
        typer.echo("\n".join(names) or f"No logs in {folder} yet.")
        return
    if process not in names:
        raise CommandError(f"No log of {process!r} in {folder}; there is {', '.join(names) or 'none'}.")
    typer.echo(tail_of(folder / f"{process}.log", lines=lines))


@app.command()
def env(
    service: Annotated[str, typer.Argument(help="A service: members, coalition, accrual and so on.")],
    role: Annotated[str, typer.Option(help="api, worker or both.")] = "both",
) -> None:
    """What a service is told, as shell exports, secrets included: to run one by hand beside tessera up --servers-only.

    eval "$(tessera stack env accrual)" && python -m services.accrual --role both
    """
    config = StackConfig.from_environment()
    stack_secrets = load_secrets(config.secrets_file)
    spec = next((spec for spec in FLEET if spec.name == service), None)
    if spec is None:
        raise CommandError(f"No service {service!r}; there is {', '.join(sorted({each.name for each in FLEET}))}.")
    environment = environment_of(
        ServiceSpec(service, "worker" if role == "worker" else "both"),
        config,
        stack_secrets,
        admin_url=config.database_url or local_admin_url(config, stack_secrets),
        bootstrap_servers=config.kafka_bootstrap_servers or f"{HOST}:{config.ports.kafka}",
    )
    for name, value in sorted(environment.items()):
        if name.startswith("TESSERA_"):
            typer.echo(f"export {name}={shlex.quote(value)}")


@app.command("database-url")
def database_url(
    role: Annotated[
        str | None, typer.Argument(help="A role, such as tessera_accrual_reader; none is the owner.")
    ] = None,
) -> None:
    """Where the stack's PostgreSQL is, password included, for psql and the like."""
    config = StackConfig.from_environment()
    stack_secrets = load_secrets(config.secrets_file)
    url = config.database_url or local_admin_url(config, stack_secrets)
    if role is not None and role not in stack_secrets.role_passwords:
        raise CommandError(f"No role {role!r}; there is {', '.join(stack_secrets.role_passwords)}.")
    typer.echo(url if role is None else database_url_of(url, stack_secrets, role))


@app.command()
def secrets() -> None:
    """Fresh secrets for docker-compose.yml: tessera stack secrets > .env, once; then chmod 600 .env."""
    typer.echo(env_file(StackSecrets.generated()), nl=False)


def _listening(port: int) -> tuple[int, str]:
    return port, "ready" if is_listened_to(port) else "down"


def _readiness(port: int) -> tuple[int, str]:
    try:
        answer = httpx2.get(f"http://{HOST}:{port}/health/ready", timeout=ANSWER_SECONDS_MAX)
    except httpx2.HTTPError:
        return port, "down"
    return port, "ready" if answer.status_code == httpx2.codes.OK else "not ready"
