"""``tessera bench backtest``: receipts that accrual has awarded are judged again by a draft, from storage."""

import asyncio
import json
import subprocess
import sys
import time
import uuid
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx2
import typer
from rich.console import Console

from cli.bench.own_stack import own_stack
from cli.bench.report import note_down
from cli.bench.rules import RULES, publish_programme
from cli.bench.workload import coalition, enrolments, member_ids, purchases, send
from cli.errors import CommandError
from deploy.local.services import ServiceSpec
from deploy.local.stack import LocalStack
from shared.events.catalogue import PURCHASES
from shared.kafka.producer import EventProducer

# accrual is not imported here: it measures itself, and says so.
COMMAND = (sys.executable, "-m", "services.accrual.measure_backtest")
MEASURE_SECONDS_MAX = 120.0
MEMBERS = 20_000
AWARDED_SECONDS_MAX = 600.0
RUN_SECONDS_MAX = 600.0
ANSWER_SECONDS_MAX = 10.0
LOOK_SECONDS = 0.1
ZONE = ZoneInfo("America/New_York")  # as every service of the local stack is told by default
MONTH = {"kind": "calendar", "unit": "month", "zone": "programme"}
# Another rate, and a cap of a month that nobody has counted yet.
DRAFT = [
    RULES[0]
    | {
        "effect": {"kind": "points_per_amount", "points": 3, "step_minor": 200},
        "caps": [{"kind": "member", "points_max": 400, "window": MONTH}],
    },
    RULES[1],
]


def measure_backtest(
    receipts: Annotated[int, typer.Option(min=5_000, max=2_000_000, help="Receipts that are stored.")] = 100_000,
) -> None:
    """Measure how many receipts a second are judged again: decoded, on one core, and from storage in one process."""
    console = Console()
    decoded = _decoded()
    fleet = (ServiceSpec("coalition", "api"), ServiceSpec("accrual", "api"), ServiceSpec("accrual", "worker"))
    with own_stack(console, fleet) as stack:
        console.print(f"awarding {receipts:,} receipts …", highlight=False)
        asyncio.run(_award(stack, receipts))
        seconds = _run(stack, receipts)
    cells = (
        f"{decoded['two_rules_per_second']:,.0f}",
        f"{decoded['twenty_rules_per_second']:,.0f}",
        f"{receipts:,}",
        f"{receipts / seconds:,.0f}",
    )
    names = ("decoded, 2 rules", "decoded, 20 rules", "stored", "receipts/s from storage")
    console.print(", ".join(f"{name} {cell}" for name, cell in zip(names, cells, strict=True)), highlight=False)
    note_down("Backtest", *cells)


def _decoded() -> dict[str, float]:
    ran = subprocess.run(COMMAND, capture_output=True, text=True, timeout=MEASURE_SECONDS_MAX, check=False)  # noqa: S603
    if ran.returncode:
        raise CommandError(f"judging could not be measured: {ran.stderr}")
    return dict(json.loads(ran.stdout))


async def _award(stack: LocalStack, receipts: int) -> None:
    producer = EventProducer(stack.kafka_settings)
    admin = await asyncpg.connect(stack.admin_url)
    members = member_ids(MEMBERS)
    try:
        await asyncio.to_thread(publish_programme, stack, "two")
        await send(producer, coalition())
        await send(producer, enrolments(members))
        await send(producer, purchases(PURCHASES.topic, members, 0, receipts))
        give_up_seconds = time.monotonic() + AWARDED_SECONDS_MAX
        while await admin.fetchval("select count(*) from accrual.awards") < receipts:
            if time.monotonic() > give_up_seconds:
                raise CommandError("not every receipt was awarded in time: see the worker's log")
            await asyncio.sleep(1.0)
        await admin.execute("vacuum analyze")
        await admin.execute("checkpoint")
    finally:
        await admin.close()
        await producer.stop()


def _run(stack: LocalStack, receipts: int) -> float:
    """Seconds from the first page to the report."""
    with httpx2.Client(base_url=stack.url("accrual"), timeout=ANSWER_SECONDS_MAX) as http:

        def call(method: str, path: str, body: object = None) -> dict[str, Any]:
            headers = {"Authorization": f"Bearer {stack.token()}", "Idempotency-Key": str(uuid.uuid4())}
            answer = http.request(method, path, headers=headers, json=body)
            if answer.is_error:
                raise CommandError(f"accrual answered {answer.status_code}: {answer.text}")
            return dict(answer.json())

        rule_set_id = call("POST", "/v1/rule-sets", {"rules": DRAFT})["rule_set_id"]
        today = datetime.now(ZONE).date()
        body = {
            "rule_set_id": rule_set_id,
            "from_date": f"{today - timedelta(days=1)}",
            "until_date": f"{today}",
        }
        path = f"/v1/backtests/{call('POST', '/v1/backtests', body)['backtest_id']}"
        began_seconds, give_up_seconds = 0.0, time.monotonic() + RUN_SECONDS_MAX
        while (told := call("GET", path))["state"] != "done":
            if not began_seconds and told["receipts_expected"] is not None:
                began_seconds = time.monotonic()
            if told["state"] not in ("queued", "running") or time.monotonic() > give_up_seconds:
                raise CommandError(f"the backtest is {told['state']}, {told['failure']}")
            time.sleep(LOOK_SECONDS)
        if told["receipts_read"] != receipts:
            raise CommandError(f"{told['receipts_read']} receipts were read of {receipts}")
        return time.monotonic() - began_seconds
