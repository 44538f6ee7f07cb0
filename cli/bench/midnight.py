"""What benchmarks of midnight have in common: their figures, tills and purchases beside it, moving the clock there."""

import asyncio
import hashlib
import itertools
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from statistics import quantiles
from zoneinfo import ZoneInfo

import asyncpg
import httpx2
import uvloop
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from cli.bench.own_stack import own_stack
from cli.bench.report import note_down
from cli.bench.workload import coalition, enrolments, purchases, send
from deploy.local.services import ServiceSpec
from deploy.local.stack import LocalStack
from shared.database import Database
from shared.events.catalogue import PURCHASES
from shared.kafka.producer import EventProducer
from shared.ledger import Reserve, Void, post

ZONE = ZoneInfo("America/New_York")  # as every service of the local stack is told by default
SPENDERS = 2_000
HOLDS_PER_SECOND = 50
PURCHASES_PER_SECOND = 300
HELD = "tessera_accrual_expiry_held_seconds"
WORKER = ServiceSpec("accrual", "worker")
NAMES = ("lots", "seconds", "lots/s", "pages within 50 ms", "over 100 ms", "holds: half", "99% ms", "purchases/s")
# The owner of the account with this number; the first ones are the spenders.
OWNER = "md5('expiry ' || number)::uuid"


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

    def begin(self) -> None:
        """What came before the first lot counts no more. Numbers of purchases never repeat."""
        self.holds_ms.clear()
        self.first_purchase = self.purchases

    def end(self, seconds: float, samples: Mapping[tuple[str, str | None], float]) -> None:
        """The last lot is gone; the worker's metrics tell how long pages held rows."""
        self.seconds = seconds
        self.pages = int(samples[f"{HELD}_count", None])
        self.pages_within_50_ms = int(samples[f"{HELD}_bucket", "0.05"])
        self.pages_within_100_ms = int(samples[f"{HELD}_bucket", "0.1"])

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


async def next_midnight(admin: asyncpg.Connection) -> datetime:
    """The next one where the programme is."""
    now: datetime = await admin.fetchval("select now()")
    return datetime.combine(now.astimezone(ZONE).date() + timedelta(days=1), time_of_day(), ZONE)


async def move_to(admin: asyncpg.Connection, moment: datetime) -> None:
    """Let business time be a moment from now on."""
    await admin.execute("insert into platform.business_clock (clock_offset) values ($1 - now())", moment)


async def read_metrics(client: httpx2.AsyncClient, metrics_url: str) -> dict[tuple[str, str | None], float]:
    """A worker's metrics, by name and bucket."""
    page = (await client.get(metrics_url)).text
    return {
        (sample.name, sample.labels.get("le")): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def measured(scenario: str, lots: int, measure: Callable[[LocalStack, Console, str, int], Awaitable[Figures]]) -> None:
    """Run a benchmark on a stack of its own, and note its figures down."""
    console = Console()
    fleet = (ServiceSpec("coalition", "api"), ServiceSpec("accrual", "api"), WORKER)
    with own_stack(console, fleet) as stack:
        metrics_url = f"http://127.0.0.1:{WORKER.port(stack.config)}/metrics"
        figures = uvloop.run(_run(measure(stack, console, metrics_url, lots)))
    note_down(scenario, *figures.cells)
    console.print(", ".join(f"{name} {cell}" for name, cell in zip(NAMES, figures.cells, strict=True)), highlight=False)


async def _run(measuring: Awaitable[Figures]) -> Figures:
    return await measuring


@asynccontextmanager
async def traffic(stack: LocalStack, figures: Figures) -> AsyncIterator[None]:
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


def _md5(text: str) -> bytes:
    return hashlib.md5(text.encode(), usedforsecurity=False).digest()
