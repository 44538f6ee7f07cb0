"""``tessera bench inactivity``: the points of a million members lapse at one midnight, since nobody used them."""

import asyncio
import time
from datetime import date, timedelta
from typing import Annotated

import asyncpg
import httpx2
import typer
from rich.console import Console

from cli.bench.expiry import LOOK_SECONDS, SECONDS_MAX, store
from cli.bench.midnight import SPENDERS, WORKER, Figures, measured, move_to, next_midnight, read_metrics, traffic
from cli.bench.rules import RULES, publish_document
from cli.errors import CommandError
from deploy.local.stack import LocalStack

IDLE_DAYS = 30
EARNED_DAYS_AGO = 200

_DONE = "select exists (select from accrual.idle_sweeps where days = 0 and done_day >= $1)"


def measure_inactivity(
    members: Annotated[int, typer.Option(min=10_000, max=5_000_000, help="Members with points.")] = 1_000_000,
) -> None:
    """Measure how long it takes until the points of all who were inactive have lapsed, and what tills notice of it.

    Rules let points lapse after thirty days without a purchase or a redemption, and have said so for thirty days. Two
    thousand members hold and buy meanwhile, and keep theirs.
    """
    measured("Inactivity", members, _measure)


async def _measure(stack: LocalStack, console: Console, metrics_url: str, members: int) -> Figures:
    figures = Figures(members - SPENDERS)
    admin = await asyncpg.connect(stack.admin_url)
    try:
        midnight = await next_midnight(admin)
        console.print(f"storing {members:,} members' points …", highlight=False)
        await store(admin, members, (None,), earned_days_ago=EARNED_DAYS_AGO)
        document = {"rules": RULES, "inactivity": {"days": IDLE_DAYS, "activities": ["purchase", "redemption"]}}
        since = midnight - timedelta(days=IDLE_DAYS)
        await asyncio.to_thread(publish_document, stack, document, since)
        async with traffic(stack, figures):
            await asyncio.sleep(SPENDERS / 300 + LOOK_SECONDS)  # until each of them has bought something
            await move_to(admin, midnight - timedelta(seconds=2))
            await _until_lapsed(metrics_url, admin, midnight.date(), figures)
    finally:
        await admin.close()
    return figures


async def _until_lapsed(metrics_url: str, admin: asyncpg.Connection, day: date, figures: Figures) -> None:
    """Watch the worker, from the first member on; until every account was looked at."""
    began: float | None = None
    give_up = time.perf_counter() + SECONDS_MAX
    async with httpx2.AsyncClient(timeout=10.0) as client:
        while time.perf_counter() < give_up:
            samples = await read_metrics(client, metrics_url)
            if began is None and samples["tessera_accrual_members_idle_total", None]:
                began = time.perf_counter()
                figures.begin()
            if began is not None and await admin.fetchval(_DONE, day):
                figures.end(time.perf_counter() - began, samples)
                figures.lots = int(samples["tessera_accrual_members_idle_total", None])
                return
            await asyncio.sleep(LOOK_SECONDS)
    raise CommandError(f"points were there still after {SECONDS_MAX:.0f} s: see the log of {WORKER.label}")
