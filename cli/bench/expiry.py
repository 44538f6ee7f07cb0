"""``tessera bench expiry``: a million lots expire at midnight, beside holds at tills and purchases through Kafka."""

import asyncio
import time
from datetime import date, timedelta
from typing import Annotated

import asyncpg
import httpx2
import typer
from rich.console import Console

from cli.bench.midnight import OWNER, SPENDERS, WORKER, Figures, measured, move_to, next_midnight, read_metrics, traffic
from cli.bench.rules import publish_programme
from cli.errors import CommandError
from deploy.local.stack import LocalStack
from shared.ledger import LotTerms

POINTS_EACH = 100
SECONDS_MAX = 600.0
LOOK_SECONDS = 1.0
NEARLY = 0.97  # asking the database costs something, and what lapsed with a hold is not counted twice

# A lot for each of so many accounts, earned long ago; the first ones may have points of other terms, too.
_STORE = (
    """
    insert into ledger.ledger_accounts (owner_id, point_type, available)
    select {owner}, 'points', case when number <= {spenders} then {each} else 1 end * {points}
    from generate_series(1, {lots}) as number
    """,
    """
    insert into ledger.ledger_lots
        (account_id, lot_key, issuer, basis, available_from, expires_on, remaining, reserved)
    select account_id, '\\x{key}', 'bench', 'purchase', '2026-01-01', {expires_on}, {points}, 0
    from ledger.ledger_accounts {where}
    """,
    """
    insert into ledger.ledger_transfers
        (account_id, purpose, debit, credit, partner_id, points, reference, credit_lot, business_time)
    select account_id, 'earn', 'issue', 'available', 'bench', {points}, 'earned', '\\x{key}', now() - interval '{age}'
    from ledger.ledger_accounts {where}
    """,
)


_LEFT = "select exists (select from ledger.ledger_lots where expires_on = $1 and award is null and remaining > 0)"


def measure_expiry(
    lots: Annotated[int, typer.Option(min=10_000, max=5_000_000, help="Lots that expire.")] = 1_000_000,
) -> None:
    """Measure how long it takes until every lot has expired, and what tills notice of it.

    Holds and their voids come at a fixed rate, on accounts of which a lot expires, each counted from when it was due.
    """
    measured("Expiry", lots, _measure)


async def _measure(stack: LocalStack, console: Console, metrics_url: str, lots: int) -> Figures:
    figures = Figures(lots)
    admin = await asyncpg.connect(stack.admin_url)
    try:
        midnight = await next_midnight(admin)
        console.print(f"storing {lots:,} lots …", highlight=False)
        await store(admin, lots, (midnight.date(), None))
        await asyncio.to_thread(publish_programme, stack, "two")
        async with traffic(stack, figures):
            await move_to(admin, midnight - timedelta(seconds=2))
            await _until_expired(metrics_url, admin, midnight.date(), figures)
    finally:
        await admin.close()
    return figures


async def store(
    admin: asyncpg.Connection, lots: int, expires_on: tuple[date | None, ...], *, earned_days_ago: int = 0
) -> None:
    """A lot in each of so many accounts, that expires on the first of these days; of each other day one more for each
    of the spenders.
    """
    first, each = date(2026, 1, 1), len(expires_on)
    # The order of making accounts is the order of their ids: the first ones are the spenders'.
    some = f"where account_id <= (select min(account_id) + {SPENDERS - 1} from ledger.ledger_accounts)"
    accounts, *stores = _STORE
    await admin.execute(accounts.format(owner=OWNER, lots=lots, spenders=SPENDERS, each=each, points=POINTS_EACH))
    for number, day in enumerate(expires_on):
        key, until = LotTerms("bench", first, day).key.hex(), "null" if day is None else f"'{day}'"
        for statement in stores:
            said = {"key": key, "expires_on": until, "points": POINTS_EACH, "age": f"{earned_days_ago} days"}
            await admin.execute(statement.format(**said, where=some if number else ""))
    await admin.execute("vacuum analyze")
    await admin.execute("checkpoint")


async def _until_expired(metrics_url: str, admin: asyncpg.Connection, day: date, figures: Figures) -> None:
    """Watch the worker's own metrics, from the first lot that expires on; near the end, whether any lot is left."""
    began: float | None = None
    give_up = time.perf_counter() + SECONDS_MAX
    async with httpx2.AsyncClient(timeout=10.0) as client:
        while time.perf_counter() < give_up:
            samples = await read_metrics(client, metrics_url)
            expired = samples["tessera_accrual_lots_expired_total", None]
            if began is None and expired:
                began = time.perf_counter()
                figures.begin()
            if began is not None and expired >= figures.lots * NEARLY and not await admin.fetchval(_LEFT, day):
                figures.end(time.perf_counter() - began, samples)
                return
            await asyncio.sleep(LOOK_SECONDS)
    raise CommandError(f"not every lot had expired after {SECONDS_MAX:.0f} s: see the log of {WORKER.label}")
