"""``tessera bench pipelines``: the bare pipeline and accrual through Kafka, in turn, on one stack, with their ratio."""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import asyncpg
import typer
from aiokafka.admin import AIOKafkaAdminClient
from rich.console import Console
from rich.table import Table

from cli.bench import bare_worker
from cli.bench.measuring import Stopwatch
from cli.bench.own_stack import own_stack
from cli.bench.report import note_down
from cli.bench.rules import POINT_TYPES, Programme, publish_programme
from cli.bench.workload import coalition, enrolments, member_ids, purchases, send
from cli.errors import CommandError
from deploy.local.services import ServiceSpec
from deploy.local.stack import LocalStack
from shared.events.catalogue import PURCHASES
from shared.kafka.producer import EventProducer
from shared.kafka.topics import TopicDeclaration, create_topics

MEMBERS = 5_000
WARM_UP = 3_000
ACCRUAL_GROUP = "tessera.accrual.loyalty.purchases"
WORKER_ROLE = "tessera_accrual"
READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 20.0
# What throughput is measured at: ledger rows may be held for 50 ms. Beside tills it is 10.
HOLD_MS = 50


@dataclass(frozen=True, slots=True)
class Outcome:
    """Records a second, round by round."""

    bare: list[float]
    accrual: list[float]

    @property
    def ratio(self) -> float:
        """Accrual against bare: the median of the rounds' own ratios, so that a drifting machine cancels out."""
        return statistics.median(full / bare for full, bare in zip(self.accrual, self.bare, strict=True))


def measure_pipelines(
    workers: Annotated[int, typer.Option(min=1, max=4, help="Workers of each pipeline.")] = 1,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Rounds; medians are reported.")] = 3,
    records: Annotated[int, typer.Option(min=5_000, max=1_000_000, help="Purchases a round and pipeline.")] = 30_000,
    programme: Annotated[Programme, typer.Option(help="Two rules, twenty with caps, or these with tiers.")] = "two",
) -> None:
    """Measure purchases a second through the whole of accrual, against the bare pipeline, and note it down.

    Everything runs on this machine: broker, database and workers share it. The purchases lie ready in Kafka, so that
    nothing is spent on making them while the clock runs. The result is appended to docs/benchmarks.md.
    """
    console = Console()
    # Coalition issues the token and no more: its worker would read the same purchases while the clock runs.
    fleet = (ServiceSpec("coalition", "api"), ServiceSpec("accrual", "api"))
    with own_stack(console, fleet, service_environment=POINT_TYPES) as stack:
        outcome = asyncio.run(_measure(stack, console, programme, workers, rounds, records))
    _show(console, outcome, workers)
    note_down(
        "Pipelines",
        programme,
        str(workers),
        f"{rounds} of {records:,}",
        f"{statistics.median(outcome.bare):,.0f}",
        f"{statistics.median(outcome.accrual):,.0f}",
        f"{outcome.ratio:.0%}",
    )


async def _measure(
    stack: LocalStack, console: Console, programme: Programme, workers: int, rounds: int, records: int
) -> Outcome:
    kafka = stack.kafka_settings
    await create_topics(
        kafka,
        [TopicDeclaration(name, kafka.partitions, 1) for name in (bare_worker.TOPIC, "bench.points")],
    )
    producer = EventProducer(kafka)
    admin = AIOKafkaAdminClient(**kafka.client_arguments())
    database = await asyncpg.connect(stack.admin_url)
    await admin.start()
    try:
        for statement in (*bare_worker.DDL, f"grant usage on schema bench to {WORKER_ROLE}"):
            await database.execute(statement)
        await database.execute(f"grant select, insert, update on all tables in schema bench to {WORKER_ROLE}")
        bare_watch = Stopwatch(admin, database, bare_worker.GROUP, kafka.wire_name(bare_worker.TOPIC))
        full_watch = Stopwatch(admin, database, ACCRUAL_GROUP, kafka.wire_name(PURCHASES.topic))
        members = member_ids(MEMBERS)
        await asyncio.to_thread(publish_programme, stack, programme)
        await send(producer, coalition())
        await send(producer, enrolments(members))
        bare, full = _BareWorkers(stack, workers), _AccrualWorkers(stack, workers)
        await _round(producer, bare_worker.TOPIC, members, 0, WARM_UP, bare_watch, bare)
        await _round(producer, PURCHASES.topic, members, 0, WARM_UP, full_watch, full)
        outcome = Outcome([], [])
        for number in range(rounds):
            first = WARM_UP + number * records
            outcome.bare.append(await _round(producer, bare_worker.TOPIC, members, first, records, bare_watch, bare))
            outcome.accrual.append(await _round(producer, PURCHASES.topic, members, first, records, full_watch, full))
            console.print(
                f"round {number + 1}: bare {outcome.bare[-1]:,.0f}/s, accrual {outcome.accrual[-1]:,.0f}/s",
                highlight=False,
            )
        return outcome
    finally:
        await producer.stop()
        await admin.close()
        await database.close()


async def _round(
    producer: EventProducer,
    topic: str,
    members: list[UUID],
    first: int,
    records: int,
    watch: Stopwatch,
    workers: "_BareWorkers | _AccrualWorkers",
) -> float:
    """Lay the records ready, start the workers, time them, stop them; all must be alive at the end."""
    await send(producer, purchases(topic, members, first, records))
    committed_before = await watch.committed()
    await asyncio.to_thread(workers.start)
    try:
        per_second = await watch.time(records, committed_before)
        workers.check_alive()
        return per_second
    finally:
        await asyncio.to_thread(workers.stop)


class _BareWorkers:
    """Processes of the bare pipeline."""

    def __init__(self, stack: LocalStack, count: int) -> None:
        self._stack = stack
        self._count = count
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        kafka = self._stack.kafka_settings
        environment = os.environ | {"TESSERA_DATABASE_URL": self._stack.database_url(WORKER_ROLE)}
        for number in range(self._count):
            arguments = [kafka.bootstrap_servers, str(kafka.partitions), f"bare-{number + 1}"]
            command = [sys.executable, "-m", "cli.bench.bare_worker", *arguments]
            self._running.append(subprocess.Popen(command, env=environment))  # noqa: S603 -- our own module

    def check_alive(self) -> None:
        if any(process.poll() is not None for process in self._running):
            raise CommandError("a worker of the bare pipeline ended before its time")

    def stop(self) -> None:
        for process in self._running:
            process.send_signal(signal.SIGTERM)
        for process in self._running:
            process.wait(STOP_SECONDS_MAX)
        self._running.clear()


class _AccrualWorkers:
    """Processes of accrual's worker."""

    def __init__(self, stack: LocalStack, count: int) -> None:
        self._stack = stack
        self._count = count
        self._running: list[ServiceSpec] = []

    def start(self) -> None:
        environment = {"TESSERA_LEDGER_HOLD_MS_MAX": str(HOLD_MS), "TESSERA_PURCHASE_BATCH_MAX": "1000"}
        for number in range(self._count):
            self._running.append(self._stack.start_service("accrual", "worker", number + 1, environment))

    def check_alive(self) -> None:
        for spec in self._running:
            if not self._stack.child(spec).is_running():
                raise CommandError(f"{spec.label} ended before its time: see its log")

    def stop(self) -> None:
        for spec in self._running:
            self._stack.stop_service(spec)
        self._running.clear()


def _show(console: Console, outcome: Outcome, workers: int) -> None:
    table = Table("pipeline", "workers", "purchases/s (median)", "rounds", title="Throughput", title_justify="left")
    for name, rounds in (("bare", outcome.bare), ("accrual through Kafka", outcome.accrual)):
        each = ", ".join(f"{per_second:,.0f}" for per_second in rounds)
        table.add_row(name, str(workers), f"{statistics.median(rounds):,.0f}", each)
    console.print(table)
    console.print(
        f"accrual reaches [bold]{outcome.ratio:.0%}[/bold] of the bare pipeline (median of the rounds' ratios)"
    )
