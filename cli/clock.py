"""``tessera clock``: the test clock of the local stack. It moves expiry, pending points, tiers and holds."""

import asyncio
import json
import re
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

import asyncpg
import httpx2
import typer
from prometheus_client.parser import text_string_to_metric_families

from cli.errors import CommandError
from deploy.local.config import DATABASE_URL_VARIABLE, StackConfig
from deploy.local.ports import HOST
from deploy.local.services import FLEET, local_admin_url
from deploy.local.stack_secrets import load_secrets
from shared.database.moved_clock import BusinessTime, advance_clock, read_clock

CONNECT_SECONDS_MAX = 5.0
ANSWER_SECONDS_MAX = 5.0
LOOK_SECONDS = 0.2
PASSED_THROUGH = "tessera_periodic_passed_through_seconds"
# They let old data go, seldom: nobody who moves the clock waits for them.
NOT_AWAITED = frozenset({"retention", "forget_answers"})

_SPAN = re.compile(r"^(\d{1,5})(d|h|m|s)$")
_UNITS: Mapping[str, timedelta] = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}

app = typer.Typer(help="Look at business time, and move it ahead, in the local stack.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="The same as JSON.")]


@app.command()
def show(as_json: AsJson = False) -> None:
    """Business time, and how far it is ahead of real time."""
    _print(asyncio.run(_on_database(None)), as_json=as_json)


@app.command()
def advance(
    by: Annotated[str, typer.Argument(help="How far: 30d, 12h, 90m or 10s.")],
    wait_seconds: Annotated[float, typer.Option("--wait", min=0, help="How long to wait for the workers.")] = 120.0,
    as_json: AsJson = False,
) -> None:
    """Move business time ahead, and wait until every process has done what is due by then.

    It never goes back: a stack with a new state folder (TESSERA_STATE_DIR) starts with real time again. Refused for a
    database of your own: there business time is real time.
    """
    moved = asyncio.run(_on_database(span_of(by)))
    asyncio.run(_await_passes(moved.now, wait_seconds))
    _print(moved, as_json=as_json)


def span_of(text: str) -> timedelta:
    """A span as people write it.

    Raises:
        CommandError: it is none, or nothing.
    """
    found = _SPAN.match(text)
    if found is None or int(found[1]) == 0:
        raise CommandError(f"{text!r} is no span of time ahead: write 30d, 12h, 90m or 10s.")
    return int(found[1]) * _UNITS[found[2]]


def works_behind(page: str, then: datetime) -> list[str]:
    """What a process, whose page of metrics this is, has not gone through since this business time."""
    return sorted(
        sample.labels["work"]
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == PASSED_THROUGH
        and sample.labels["work"] not in NOT_AWAITED
        and sample.value < then.timestamp()
    )


async def _on_database(by: timedelta | None) -> BusinessTime:
    config = StackConfig.from_environment()
    if config.database_url is not None:
        raise CommandError(f"The test clock belongs to the local stack's own database: unset {DATABASE_URL_VARIABLE}.")
    try:
        connection = await asyncpg.connect(
            local_admin_url(config, load_secrets(config.secrets_file)), timeout=CONNECT_SECONDS_MAX
        )
        try:
            return await (read_clock(connection) if by is None else advance_clock(connection, by))
        finally:
            await connection.close()
    except (OSError, asyncpg.PostgresError) as error:
        raise CommandError(f"The local stack's database does not answer: {error}. Is tessera up running?") from error


async def _await_passes(then: datetime, wait_seconds: float) -> None:
    """Wait for every process that answers; one that is down does what is due when it comes back."""
    config = StackConfig.from_environment()
    urls = {spec.label: f"http://{HOST}:{spec.port(config)}/metrics" for spec in FLEET}
    give_up_seconds = time.monotonic() + wait_seconds
    async with httpx2.AsyncClient(timeout=ANSWER_SECONDS_MAX) as client:
        behind: list[str] = []
        while urls:
            label, url = next(iter(urls.items()))
            behind = await _behind(client, url, then)
            if not behind:
                del urls[label]
            elif time.monotonic() > give_up_seconds:
                raise CommandError(f"{label} is not done after {wait_seconds:.0f} s: {', '.join(behind)}.")
            else:
                await asyncio.sleep(LOOK_SECONDS)


async def _behind(client: httpx2.AsyncClient, url: str, then: datetime) -> list[str]:
    try:
        return works_behind((await client.get(url)).text, then)
    except httpx2.ConnectError:
        return []


def _print(time_now: BusinessTime, *, as_json: bool) -> None:
    ahead_seconds = int(time_now.ahead.total_seconds())
    if as_json:
        typer.echo(json.dumps({"business_time": time_now.now.isoformat(), "ahead_seconds": ahead_seconds}))
        return
    typer.echo(f"Business time is {time_now.now:%Y-%m-%d %H:%M:%S} UTC, {time_now.ahead} ahead of real time.")
