"""``tessera bench holds``: reserving points over HTTP: at full speed, on one account, and beside purchases."""

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import asyncpg
import typer
import uvloop
from rich.console import Console
from rich.table import Table

from cli.bench.buying import AWARDED, buy
from cli.bench.http_load import Latencies, Load, get, json_post, together
from cli.bench.lock_waits import LockWaits, lock_waits
from cli.bench.own_stack import own_stack
from cli.bench.report import note_down
from cli.bench.rules import publish_programme
from cli.bench.stored_accounts import store_accounts
from cli.bench.workload import PARTNER, coalition, enrolments, member_ids, send
from cli.errors import CommandError
from deploy.local.services import ServiceSpec
from deploy.local.stack import LocalStack
from shared.database.roles import role_name
from shared.kafka.producer import EventProducer

MEMBERS = 2_000
CONNECTIONS = 16
RACING = 64
POINTS_EACH = 1_000_000
RACED_POINTS = 10_000
BALANCES_PER_SECOND = 500
HOLDS_BESIDE_PER_SECOND = 100
WARM_UP = 1_000
API = ServiceSpec("redemption", "api")
ROLE = role_name("redemption")

_HELD = "select available, held from ledger.ledger_accounts where owner_id = $1"


@dataclass(slots=True)
class Figures:
    """What was measured."""

    holds: Latencies
    waits: LockWaits
    race: Latencies
    oversold: int
    balances: Latencies
    beside: Latencies
    waits_beside: LockWaits
    purchases_per_second: float

    @property
    def cells(self) -> tuple[str, ...]:
        """As a row of the report."""
        return (
            f"{self.holds.per_second:,.0f}",
            f"{self.holds.quantile_ms(0.5):.1f} / {self.holds.quantile_ms(0.99):.1f}",
            str(len(self.waits.ms)),
            f"{self.race.per_second:,.0f}",
            str(self.oversold),
            f"{self.balances.quantile_ms(0.5):.1f} / {self.balances.quantile_ms(0.99):.1f}",
            f"{self.purchases_per_second:,.0f}",
            f"{self.beside.quantile_ms(0.99):.1f}",
            str(len(self.waits_beside.ms)),
            f"{self.waits_beside.longest_ms:.1f}",
        )


NAMES = (
    "holds/s",
    "half / 99% within ms",
    "waits",
    "decisions/s",
    "oversold",
    "balance: half / 99% within ms",
    "purchases/s",
    "holds: 99% within ms",
    "waits",
    "longest ms",
)


def measure_holds(
    holds: Annotated[int, typer.Option(min=1_000, max=200_000, help="Holds at full speed.")] = 10_000,
    decisions: Annotated[int, typer.Option(min=200, max=50_000, help="Holds on one account.")] = 3_000,
    seconds: Annotated[int, typer.Option(min=2, max=120, help="How long beside purchases, and of balances.")] = 10,
    apis: Annotated[int, typer.Option(min=1, max=4, help="Processes of the API.")] = 2,
) -> None:
    """Measure holds a second, decisions on one raced account, balances, and how long holds wait beside purchases."""
    console = Console()
    # Coalition issues the token and no more; accrual's worker comes when there are purchases.
    fleet = (ServiceSpec("coalition", "api"), ServiceSpec("accrual", "api"), API, ServiceSpec("redemption", "worker"))
    with own_stack(console, fleet) as stack:
        others = [stack.start_service("redemption", "api", instance) for instance in range(2, apis + 1)]
        ports = [spec.port(stack.config) for spec in (API, *others)]
        figures = uvloop.run(_Bench(stack, ports).measure(holds, decisions, seconds))
    table = Table("figure", "", title="Holds", title_justify="left")
    for name, cell in zip(NAMES, figures.cells, strict=True):
        table.add_row(name, cell)
    console.print(table)
    note_down("Holds", str(apis), *figures.cells)


class _Bench:
    """One stack under measurement."""

    def __init__(self, stack: LocalStack, ports: Sequence[int]) -> None:
        self._stack = stack
        self._ports = ports
        self._token = stack.token()
        self._log = stack.config.log_dir / "postgres.log"
        self._members = member_ids(MEMBERS)

    async def measure(self, holds: int, decisions: int, seconds: int) -> Figures:
        admin = await asyncpg.connect(self._stack.admin_url)
        try:
            raced = uuid.uuid4()
            await store_accounts(admin, [*self._members, raced], [POINTS_EACH] * MEMBERS + [RACED_POINTS])
            await self._at_full_speed(self._spread(WARM_UP), CONNECTIONS)
            async with lock_waits(admin, self._log, ROLE) as waits:
                reserved = (await self._at_full_speed(self._spread(holds), CONNECTIONS)).require(201)
            race, oversold = await self._race(admin, raced, decisions)
            await Load(self._ports[0], CONNECTIONS).at_full_speed(self._balances(WARM_UP))
            asked = self._balances(BALANCES_PER_SECOND * seconds)
            balances = (await Load(self._ports[0], CONNECTIONS).at_rate(asked, BALANCES_PER_SECOND)).require(200)
            beside, waits_beside, rate = await self._beside_purchases(admin, seconds)
            return Figures(reserved, waits, race, oversold, balances, beside, waits_beside, rate)
        finally:
            await admin.close()

    async def _race(self, admin: asyncpg.Connection, member: uuid.UUID, decisions: int) -> tuple[Latencies, int]:
        """Everybody takes from one account, twice what it has. Oversold is what was promised beyond that, or is not
        what the ledger holds."""
        points = max(1, 2 * RACED_POINTS // decisions)
        race = await self._at_full_speed([self._hold(member, points) for _ in range(decisions)], RACING)
        if set(race.statuses) - {201, 409}:
            raise CommandError(f"holds on one account were answered with {race.statuses}")
        [(available, held)] = await admin.fetch(_HELD, member)
        promised = race.statuses.get(201, 0) * points
        return race, max(promised - RACED_POINTS, -available, abs(promised - held))

    async def _beside_purchases(self, admin: asyncpg.Connection, seconds: int) -> tuple[Latencies, LockWaits, float]:
        """Holds at a steady rate on members for whom purchases come in, by the same accounts."""
        await asyncio.to_thread(publish_programme, self._stack, "two")
        producer = EventProducer(self._stack.kafka_settings)
        try:
            await send(producer, coalition())
            await send(producer, enrolments(self._members))
            await asyncio.to_thread(self._stack.start_service, "accrual", "worker")
            buying = asyncio.create_task(buy(producer, self._members, seconds + 2))
            await asyncio.sleep(2)
            before = await admin.fetchval(AWARDED)
            requests, began = self._spread(HOLDS_BESIDE_PER_SECOND * seconds), time.perf_counter()
            async with lock_waits(admin, self._log, ROLE) as waits:
                beside = (await Load(self._ports[0], CONNECTIONS).at_rate(requests, HOLDS_BESIDE_PER_SECOND)).require(
                    201
                )
            lasted = time.perf_counter() - began
            after = await admin.fetchval(AWARDED)
            await buying
        finally:
            await producer.stop()
        return beside, waits, (after - before) / lasted

    async def _at_full_speed(self, requests: Sequence[bytes], connections: int) -> Latencies:
        """By all processes of the API at once, each with its part of requests and connections."""
        processes = len(self._ports)
        loads = [Load(port, connections // processes) for port in self._ports]
        parts = await asyncio.gather(
            *(load.at_full_speed(requests[number::processes]) for number, load in enumerate(loads))
        )
        return together(parts)

    def _spread(self, count: int) -> list[bytes]:
        return [self._hold(self._members[number * 7_919 % MEMBERS], 1) for number in range(count)]

    def _hold(self, member: uuid.UUID, points: int) -> bytes:
        body = {"member_id": str(member), "points": points, "partner_id": PARTNER}
        return json_post("/v1/redemptions", self._token, json.dumps(body).encode(), str(uuid.uuid4()))

    def _balances(self, count: int) -> list[bytes]:
        return [
            get(f"/v1/members/{self._members[number * 7_919 % MEMBERS]}/balance", self._token)
            for number in range(count)
        ]
