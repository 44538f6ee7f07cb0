"""``tessera backtest``: ask for a backtest, follow it, and write its report to files."""

import os
import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import httpx2
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.errors import CommandError
from deploy.local.clients import fetch_token
from deploy.local.config import StackConfig
from deploy.local.services import url_of
from deploy.local.stack_secrets import load_secrets

ANSWER_SECONDS_MAX = 30.0
LOOK_SECONDS = 0.5
TOKEN_VARIABLE = "TESSERA_TOKEN"  # noqa: S105 -- its name  # nosec B105
_DAYS = ["%Y-%m-%d"]


def backtest(
    rule_set_id: Annotated[uuid.UUID, typer.Argument(help="The rule set's id: a draft, or any other.")],
    first: Annotated[datetime, typer.Option("--from", formats=_DAYS, help="The first day of receipts.")],
    last: Annotated[datetime, typer.Option("--until", formats=_DAYS, help="The last one, included.")],
    partner: Annotated[list[str] | None, typer.Option(help="Only this partner's receipts; may be repeated.")] = None,
    sample: Annotated[int, typer.Option(min=1, max=100, help="Only so many percent of the members.")] = 100,
    price: Annotated[str, typer.Option(help="What a point costs, in the currency's major unit: 0.01.")] = "0",
    out: Annotated[Path, typer.Option(help="Write OUT.json and OUT.html.")] = Path("backtest"),
    url: Annotated[str | None, typer.Option(help="Where accrual is; without it, the local stack's.")] = None,
) -> None:
    """Judge receipts of the past by a rule set, beside what was awarded for them, and write the report.

    The token comes from TESSERA_TOKEN, else from the local stack. Ctrl-C cancels the backtest.
    """
    body = {
        "rule_set_id": str(rule_set_id),
        "from_date": f"{first.date()}",
        "until_date": f"{last.date()}",
        "partners": partner or [],
        "sample_percent": sample,
        "point_price": price,
    }
    console = Console(stderr=True)
    with _client(url) as http:
        path = f"/v1/backtests/{_told(_post(http, '/v1/backtests', body))['backtest_id']}"
        try:
            _follow(http, path, console)
        except KeyboardInterrupt:
            _told(_post(http, f"{path}/cancel", None))
            raise CommandError("The backtest was cancelled.") from None
        files = write_report(http, path, out)
    for file in files:
        typer.echo(file)


def write_report(http: httpx2.Client, path: str, out: Path) -> list[Path]:
    """The report as JSON and as a page; the files that were written."""
    files = []
    for suffix, of in (("json", "report"), ("html", "report.html")):
        answer = http.get(f"{path}/{of}")
        _refuse(answer)
        file = out.with_name(f"{out.name}.{suffix}")
        file.write_bytes(answer.content)
        files.append(file)
    return files


def _client(url: str | None) -> httpx2.Client:
    token = os.environ.get(TOKEN_VARIABLE)
    config = StackConfig.from_environment()
    if token is None:
        secrets = load_secrets(config.secrets_file)
        token = fetch_token(url_of(config, "coalition"), "admin", secrets.client_secrets["admin"])
    return httpx2.Client(
        base_url=url or url_of(config, "accrual"),
        headers={"Authorization": f"Bearer {token}"},
        timeout=ANSWER_SECONDS_MAX,
    )


def _follow(http: httpx2.Client, path: str, console: Console) -> None:
    """Show how far it has come, until it is over."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("queued", total=None)
        while True:
            told = _told(http.get(path))
            progress.update(
                task, description=told["state"], completed=told["receipts_read"], total=told["receipts_expected"]
            )
            if told["state"] == "done":
                return
            if told["state"] not in ("queued", "running"):
                raise CommandError(f"The backtest is {told['state']}{_because(told)}.")
            time.sleep(LOOK_SECONDS)


def _because(told: dict[str, Any]) -> str:
    return f": {told['failure']}" if told["failure"] else ""


def _post(http: httpx2.Client, path: str, body: object) -> httpx2.Response:
    return http.post(path, json=body, headers={"Idempotency-Key": str(uuid.uuid4())})


def _told(answer: httpx2.Response) -> dict[str, Any]:
    _refuse(answer)
    return dict(answer.json())


def _refuse(answer: httpx2.Response) -> None:
    if answer.is_error:
        raise CommandError(f"Accrual answered {answer.status_code}: {answer.text}")
