"""``tessera bench expiry``: a million lots expire at midnight, beside holds at tills and purchases through Kafka."""

import asyncio
import hashlib
import itertools
import shutil
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from statistics import quantiles
from typing import Annotated
from zoneinfo import ZoneInfo

import asyncpg
import httpx2
import typer
import uvloop
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from cli.bench.report import note_down
from cli.bench.rules import publish_programme
from cli.bench.workload import coalition, enrolments, purchases, send
from cli.errors import CommandError
from deploy.local.config import StackConfig
from deploy.local.progress import ConsoleReporter
from deploy.local.services import ServiceSpec
from deploy.local.stack import LocalStack
from shared.database import Database
from shared.events.catalogue import PURCHASES
from shared.kafka.producer import EventProducer
from shared.ledger import LotTerms, Reserve, Void, post

ZONE = ZoneInfo("America/New_York")  # as every service of the local stack is told by default
POINTS_EACH = 100
SPENDERS = 2_000
HOLDS_PER_SECOND = 50
PURCHASES_PER_SECOND = 300
SECONDS_MAX = 600.0
LOOK_SECONDS = 1.0
NEARLY = 0.97  # asking the database costs something, and what lapsed with a hold is not counted twice
HELD = "tessera_accrual_expiry_held_seconds"
WORKER = ServiceSpec("accrual", "worker")

# A lot that expires for each of $1 accounts, earned long ago; the first $2 have points that stay, too.
_STORE = (
    """
    insert into ledger.ledger_accounts (owner_id, point_type, available)
    select md5('expiry ' || number)::uuid, 'points', case when number <= {spenders} then 2 else 1 end * {points}
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
    select account_id, 'earn', 'issue', 'available', 'bench', {points}, 'earned', '\\x{key}', now()
    from ledger.ledger_accounts {where}
    """,
)


_LEFT = "select exists (select from ledger.ledger_lots where expires_on = $1 and award is null and remaining > 0)"


@dataclass(slots=True)
class Figures:
    """What was measured."""

    lots: int
    seconds: float = 0.0
    holds_ms: list[float] = field(default_factory=list)
    purchases: int = 0
    first_purchase: int = 0
    pages: int = 0
    pages_within_100_ms: int = 0
    pages_within_50_ms: int = 0

    @property
    def cells(self) -> tuple[str, ...]:
        """As a row of the report."""
        per_cent = quantiles(self.holds_ms, n=100)
        return (
            f"{self.lots:,}",
            f"{self.seconds:.0f}",
            f"{self.lots / self.seconds:,.0f}",
            f"{self.pages_within_50_ms / self.pages:.1%}",
            str(self.pages - self.pages_within_100_ms),
            f"{per_cent[49]:.1f}",
            f"{per_cent[98]:.1f}",
            f"{(self.purchases - self.first_purchase) / self.seconds:,.0f}",
        )


def measure_expiry(
    lots: Annotated[int, typer.Option(min=10_000, max=5_000_000, help="Lots that expire.")] = 1_000_000,
) -> None:
    """Measure how long it takes until every lot has expired, and what tills notice of it.

    Holds and their voids come at a fixed rate, on accounts of which a lot expires, each counted from when it was due.
    """
    console = Console()
    config = StackConfig.from_environment()
    config = replace(config, state_dir=config.state_dir / "bench")
    shutil.rmtree(config.state_dir, ignore_errors=True)
    fleet = (ServiceSpec("coalition", "api"), ServiceSpec("accrual", "api"), WORKER)
    with LocalStack(config, fleet=fleet, reporter=ConsoleReporter(console)) as stack:
        metrics_url = f"http://127.0.0.1:{WORKER.port(config)}/metrics"
        figures = uvloop.run(_measure(stack, console, metrics_url, lots))
    note_down("Expiry", *figures.cells)
    names = ("lots", "seconds", "lots/s", "pages within 50 ms", "over 100 ms", "holds: half", "99% ms", "purchases/s")
    console.print(", ".join(f"{name} {cell}" for name, cell in zip(names, figures.cells, strict=True)), highlight=False)


async def _measure(stack: LocalStack, console: Console, metrics_url: str, lots: int) -> Figures:
    figures = Figures(lots)
    admin = await asyncpg.connect(stack.admin_url)
    try:
        midnight = await _next_midnight(admin)
        console.print(f"storing {lots:,} lots …", highlight=False)
        await _store(admin, lots, midnight.date())
        await asyncio.to_thread(publish_programme, stack, "two")
        async with _traffic(stack, figures):
            before_midnight = midnight - timedelta(seconds=2)
            await admin.execute(
                "insert into platform.business_clock (clock_offset) values ($1 - now())", before_midnight
            )
            await _until_expired(metrics_url, admin, midnight.date(), figures)
    finally:
        await admin.close()
    return figures


async def _next_midnight(admin: asyncpg.Connection) -> datetime:
    now: datetime = await admin.fetchval("select now()")
    return datetime.combine(now.astimezone(ZONE).date() + timedelta(days=1), time_of_day(), ZONE)


async def _store(admin: asyncpg.Connection, lots: int, expires_on: date) -> None:
    first = date(2026, 1, 1)
    expiring, staying = LotTerms("bench", first, expires_on), LotTerms("bench", first, None)
    # The order of making accounts is the order of their ids: the first ones are the spenders'.
    some = f"where account_id <= (select min(account_id) + {SPENDERS - 1} from ledger.ledger_accounts)"
    accounts, store_lots, store_transfers = _STORE
    await admin.execute(accounts.format(lots=lots, spenders=SPENDERS, points=POINTS_EACH))
    for terms, day, where in ((expiring, f"'{expires_on}'", ""), (staying, "null", some)):
        for statement in (store_lots, store_transfers):
            await admin.execute(statement.format(key=terms.key.hex(), expires_on=day, points=POINTS_EACH, where=where))
    await admin.execute("vacuum analyze")
    await admin.execute("checkpoint")


@asynccontextmanager
async def _traffic(stack: LocalStack, figures: Figures) -> AsyncIterator[None]:
    """Holds at tills and purchases, as long as the block lasts."""
    database = Database(stack.database_url("tessera_redemption"), zone=ZONE)
    producer = EventProducer(stack.kafka_settings)
    members = [uuid.UUID(bytes=_md5(f"expiry {number}")) for number in range(1, SPENDERS + 1)]
    await send(producer, coalition())
    await send(producer, enrolments(members))
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_hold(database, members, figures)),
            group.create_task(_buy(producer, members, figures)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
    await producer.stop()
    await database.close()


async def _hold(database: Database, members: list[uuid.UUID], figures: Figures) -> None:
    """Reserve a point and let it go, at a fixed rate, one hold after the other."""
    due = time.perf_counter()
    for member in itertools.cycle(members):
        due += 1 / HOLDS_PER_SECOND
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        hold_id = uuid.uuid4()
        reserve = Reserve(member, "points", hold_id.bytes, 1, hold_id)
        await database.run(partial(post, commands=[reserve]))
        figures.holds_ms.append((time.perf_counter() - due) * 1_000)
        void = Void(member, "points", hold_id.bytes, hold_id)
        await database.run(partial(post, commands=[void]))


async def _buy(producer: EventProducer, members: list[uuid.UUID], figures: Figures) -> None:
    """Purchases through Kafka, a tenth of a second's at a time."""
    due = time.perf_counter()
    while True:
        await send(producer, purchases(PURCHASES.topic, members, figures.purchases, PURCHASES_PER_SECOND // 10))
        figures.purchases += PURCHASES_PER_SECOND // 10
        due += 0.1
        await asyncio.sleep(max(0.0, due - time.perf_counter()))


async def _until_expired(metrics_url: str, admin: asyncpg.Connection, day: date, figures: Figures) -> None:
    """Watch the worker's own metrics, from the first lot that expires on; near the end, whether any lot is left."""
    began: float | None = None
    give_up = time.perf_counter() + SECONDS_MAX
    async with httpx2.AsyncClient(timeout=10.0) as client:
        while time.perf_counter() < give_up:
            page = (await client.get(metrics_url)).text
            samples = {
                (sample.name, sample.labels.get("le")): sample.value
                for family in text_string_to_metric_families(page)
                for sample in family.samples
            }
            expired = samples["tessera_accrual_lots_expired_total", None]
            if began is None and expired:
                began = time.perf_counter()
                figures.holds_ms.clear()  # those from before midnight
                figures.first_purchase = figures.purchases  # their numbers never repeat
            if began is not None and expired >= figures.lots * NEARLY and not await admin.fetchval(_LEFT, day):
                figures.seconds = time.perf_counter() - began
                figures.pages = int(samples[f"{HELD}_count", None])
                figures.pages_within_50_ms = int(samples[f"{HELD}_bucket", "0.05"])
                figures.pages_within_100_ms = int(samples[f"{HELD}_bucket", "0.1"])
                return
            await asyncio.sleep(LOOK_SECONDS)
    raise CommandError(f"not every lot had expired after {SECONDS_MAX:.0f} s: see the log of {WORKER.label}")


def _md5(text: str) -> bytes:
    return hashlib.md5(text.encode(), usedforsecurity=False).digest()
