"""``tessera bench till-traffic``: tills hold points and capture them, beside purchases, without fraud and with it."""

import asyncio
import json
import os
import re
import secrets
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Annotated

import asyncpg
import httpx2
import typer
import uvloop
from rich.console import Console
from rich.table import Table

from cli.bench.buying import AWARDED, PURCHASES_PER_SECOND, buy
from cli.bench.conversations import Conversations, converse
from cli.bench.http_load import Latencies, Load, json_post, together
from cli.bench.lock_waits import LockWaits, lock_waits
from cli.bench.own_stack import own_stack
from cli.bench.report import note_down
from cli.bench.rules import publish_programme
from cli.bench.stored_accounts import store_accounts
from cli.bench.workload import PARTNER, STORE, TILL, coalition, enrolments, member_ids, send
from cli.errors import CommandError
from deploy.local.ports import HOST
from deploy.local.services import ServiceSpec
from deploy.local.stack import LocalStack
from shared.database.roles import role_name
from shared.kafka.producer import EventProducer
from shared.web.tills import till_key_sha256

# Whoever asks for points more than three times a day is to confirm it: nobody does here.
MEMBERS = 20_000
MEMBERS_ASKED_ABOUT = 5_000  # members of whom fraud is asked directly, and nobody holds anything
POINTS_EACH = 1_000_000
CONNECTIONS = 16  # of each process
DECISIONS_PER_SECOND = 20
WARM_UP_SECONDS = 5
WARM_UPS_MAX = 4
BUYING_SECONDS_MAX_TIMES = 4  # tills that are too slow take longer than they are given
CAUGHT_UP_WITHIN = 0.05  # of the rate at which purchases come: more are awarded while some are left from before
KNOWN_SECONDS_MAX = 60.0
ASK_AGAIN_SECONDS = 0.2
API = ServiceSpec("redemption", "api")
FRAUD_API = ServiceSpec("fraud", "api")
# What fraud does meanwhile: nothing, decide on holds, and score purchases besides.
FRAUD = {"no": (), "decides": (FRAUD_API,), "decides, scores": (FRAUD_API, ServiceSpec("fraud", "worker"))}

_ASKS = re.compile(r'^tessera_redemption_asks_total\{by="(\w+)",verdict="\w+"\} ([0-9.e+]+)$', re.MULTILINE)


@dataclass(slots=True)
class Figures:
    """What was measured in one run. ``decisions`` are None where nobody was asked."""

    fraud: str
    per_second: int
    purchases_per_second: float
    tills: Conversations
    waits: LockWaits
    generator_percent: float
    decisions: Latencies | None = None
    unanswered: int = 0

    @property
    def cells(self) -> tuple[str, ...]:
        """As a row of the report."""
        decisions = "-" if self.decisions is None else _within(self.decisions)
        return (
            self.fraud,
            str(self.per_second),
            f"{self.purchases_per_second:,.0f}",
            _within(self.tills.first),
            _within(self.tills.second),
            decisions,
            "-" if self.decisions is None else str(self.unanswered),
            str(len(self.waits.ms)),
            f"{self.waits.longest_ms:.1f}",
            f"{self.generator_percent:.0f}%",
        )


NAMES = (
    "fraud",
    "holds and captures/s",
    "purchases/s",
    "holds: half / 99% within ms",
    "captures: half / 99% within ms",
    "decisions: half / 99% within ms",
    "unanswered",
    "waits",
    "longest ms",
    "load generator",
)


def measure_till_traffic(
    seconds: Annotated[int, typer.Option(min=2, max=60, help="How long each run is.")] = 20,
    per_second: Annotated[int, typer.Option(min=10, max=600, help="Holds a second, and captures.")] = 300,
    apis: Annotated[int, typer.Option(min=1, max=4, help="Processes of redemption's API.")] = 2,
) -> None:
    """Measure holds and their captures beside 1,000 purchases a second, without fraud and with its decisions."""
    console = Console()
    runs = [_measured(console, seconds, per_second, apis, fraud) for fraud in FRAUD]
    table = Table("figure", *("" for _ in runs), title="Till traffic", title_justify="left")
    for cells in zip(NAMES, *runs, strict=True):
        table.add_row(*cells)
    console.print(table)
    for cells in runs:
        note_down("Till traffic", str(apis), *cells)


def _measured(console: Console, seconds: int, per_second: int, apis: int, fraud: str) -> tuple[str, ...]:
    # Coalition issues tokens and no more; accrual's worker comes when there are rules.
    apis_alone = (ServiceSpec("coalition", "api"), ServiceSpec("accrual", "api"), API)
    fleet = (*apis_alone, ServiceSpec("redemption", "worker"), *FRAUD[fraud])
    with own_stack(console, fleet) as stack:
        specs = [API, *(stack.start_service("redemption", "api", instance) for instance in range(2, apis + 1))]
        bench = _Bench(stack, [spec.port(stack.config) for spec in specs], fraud)
        return uvloop.run(bench.measure(seconds, per_second)).cells


class _Bench:
    """One stack under measurement."""

    def __init__(self, stack: LocalStack, ports: Sequence[int], fraud: str) -> None:
        self._stack = stack
        self._ports = ports
        self._fraud = fraud
        self._fraud_port = FRAUD_API.port(stack.config) if FRAUD[fraud] else None
        self._token = stack.token()
        self._till_key = f"tk_{secrets.token_urlsafe(32)}"
        everybody = member_ids(MEMBERS + MEMBERS_ASKED_ABOUT)
        self._members, self._asked_about = everybody[:MEMBERS], everybody[MEMBERS:]
        self._held, self._captured, self._asked = count(), count(), count()

    async def measure(self, seconds: int, per_second: int) -> Figures:
        """Everything once. What does not count: until the processes are warm, and no purchases wait from before."""
        admin = await asyncpg.connect(self._stack.admin_url)
        producer = EventProducer(self._stack.kafka_settings)
        try:
            await store_accounts(admin, self._members, [POINTS_EACH] * MEMBERS)
            await asyncio.to_thread(publish_programme, self._stack, "two")
            await send(producer, coalition(till_key_sha256(self._till_key)))
            await send(producer, enrolments(self._members))
            await asyncio.to_thread(self._stack.start_service, "accrual", "worker")
            await asyncio.to_thread(self._await_till)
            longest = WARM_UPS_MAX * WARM_UP_SECONDS + seconds
            buying = asyncio.create_task(buy(producer, self._members, BUYING_SECONDS_MAX_TIMES * longest))
            await self._warm_up(admin, per_second)
            figures = await self._counted(admin, seconds, per_second)
            if buying.done():
                raise CommandError("no purchases came any more before all was measured: ask for fewer holds a second")
            buying.cancel()
            await asyncio.wait([buying])
        finally:
            await producer.stop()
            await admin.close()
        return figures

    async def _warm_up(self, admin: asyncpg.Connection, per_second: int) -> None:
        """Tills at the same rate, until accrual awards no more purchases than come: then it has caught up. Where it
        never does so, ``WARM_UPS_MAX`` times."""
        for _ in range(WARM_UPS_MAX):
            awarded, began = await admin.fetchval(AWARDED), time.perf_counter()
            await self._tills(WARM_UP_SECONDS, per_second)
            awarded = await admin.fetchval(AWARDED) - awarded
            per_second_awarded = awarded / (time.perf_counter() - began)
            if abs(per_second_awarded / PURCHASES_PER_SECOND - 1) <= CAUGHT_UP_WITHIN:
                return

    async def _counted(self, admin: asyncpg.Connection, seconds: int, per_second: int) -> Figures:
        unanswered = await asyncio.to_thread(self._unanswered)
        awarded = await admin.fetchval(AWARDED)
        began, spent = time.perf_counter(), time.process_time()
        async with lock_waits(admin, self._stack.config.log_dir / "postgres.log", role_name("redemption")) as waits:
            tills, decisions = await asyncio.gather(self._tills(seconds, per_second), self._decisions(seconds))
        lasted, spent = time.perf_counter() - began, time.process_time() - spent
        awarded = await admin.fetchval(AWARDED) - awarded
        return Figures(
            fraud=self._fraud,
            per_second=per_second,
            purchases_per_second=awarded / lasted,
            tills=tills,
            waits=waits,
            generator_percent=100 * spent / lasted / (os.cpu_count() or 1),
            decisions=decisions,
            unanswered=await asyncio.to_thread(self._unanswered) - unanswered,
        )

    async def _tills(self, seconds: int, per_second: int) -> Conversations:
        """By all processes of the API at once, each with its part of the tills."""
        holds = [self._hold() for _ in range(seconds * per_second)]
        processes = len(self._ports)
        parts = await asyncio.gather(
            *(
                converse(port, CONNECTIONS, holds[place::processes], per_second / processes, self._capture, 201)
                for place, port in enumerate(self._ports)
            )
        )
        held, captured = together([part.first for part in parts]), together([part.second for part in parts])
        return Conversations(held.require(201), captured.require(200))

    async def _decisions(self, seconds: int) -> Latencies | None:
        """Fraud asked directly, as redemption asks it, about others than those who hold."""
        if self._fraud_port is None:
            return None
        asks = [self._ask() for _ in range(seconds * DECISIONS_PER_SECOND)]
        return (await Load(self._fraud_port, CONNECTIONS).at_rate(asks, DECISIONS_PER_SECOND)).require(200)

    def _hold(self) -> bytes:
        body = {"member_id": str(self._members[next(self._held) * 7_919 % MEMBERS]), "points": 1}
        return json_post("/v1/redemptions", self._till_key, json.dumps(body).encode(), str(uuid.uuid4()))

    def _capture(self, _: int, held: bytes) -> bytes:
        redemption_id = json.loads(held)["redemption_id"]
        receipt = {"scheme": "sequence", "store_id": STORE, "till_id": TILL, "business_date": "2026-01-02", "shift": 1}
        body = json.dumps({"receipt": receipt | {"number": next(self._captured)}}).encode()
        return json_post(f"/v1/redemptions/{redemption_id}/capture", self._till_key, body, str(uuid.uuid4()))

    def _ask(self) -> bytes:
        member_id = self._asked_about[next(self._asked) % MEMBERS_ASKED_ABOUT]
        body = {"decision_id": str(uuid.uuid4()), "kind": "hold", "member_id": str(member_id), "points": 1}
        place = {"point_type": "points", "partner_id": PARTNER, "store_id": STORE}
        return json_post("/v1/decisions", self._token, json.dumps(body | place).encode())

    def _await_till(self) -> None:
        """Until every process of the API knows the till."""
        headers = {"Authorization": f"Bearer {self._till_key}"}
        for port in self._ports:
            give_up = time.monotonic() + KNOWN_SECONDS_MAX
            while httpx2.get(f"http://{HOST}:{port}/v1/redemptions/{uuid.uuid4()}", headers=headers).status_code != 404:
                if time.monotonic() > give_up:
                    raise CommandError("redemption did not hear of the till: see its worker's log")
                time.sleep(ASK_AGAIN_SECONDS)

    def _unanswered(self) -> int:
        """How often fraud has not answered a hold in time so far, so that the ceiling decided."""
        told = [httpx2.get(f"http://{HOST}:{port}/metrics", timeout=10.0).raise_for_status() for port in self._ports]
        return int(sum(float(number) for one in told for by, number in _ASKS.findall(one.text) if by != "fraud"))


def _within(latencies: Latencies) -> str:
    return f"{latencies.quantile_ms(0.5):.1f} / {latencies.quantile_ms(0.99):.1f}"
