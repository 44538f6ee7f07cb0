"""``tessera bench previews``: how long a till waits to be told what a receipt would earn."""

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx2
import typer
import uvloop
from rich.console import Console
from rich.table import Table

from cli.bench.engine import twenty_rules
from cli.bench.enrolling import enrolment
from cli.bench.http_load import Latencies, Load, json_post
from cli.bench.own_stack import own_stack
from cli.bench.report import note_down
from cli.bench.rules import POINT_TYPES, publish_document
from cli.bench.workload import CATEGORIES, PARTNER, STORE, TILL, coalition, send
from cli.errors import CommandError
from deploy.local.services import ServiceSpec
from deploy.local.stack import LocalStack
from shared.kafka.producer import EventProducer

CONNECTIONS = 16
MEMBERS = 2_000
WARM_UP = 1_000
RULES = 20
LINES = 10
HEARD_OF_SECONDS_MAX = 60.0
ASK_AGAIN_SECONDS = 0.2
BEGAN_AT = datetime(2026, 1, 1, tzinfo=UTC)


def measure_previews(
    seconds: Annotated[int, typer.Option(min=2, max=300, help="How long to preview.")] = 20,
    per_second: Annotated[int, typer.Option(min=10, max=2_000, help="Previews a second.")] = 100,
) -> None:
    """Measure previews of ten-line receipts under twenty rules, each counted from when it was due."""
    console = Console()
    fleet = (
        ServiceSpec("coalition"),
        ServiceSpec("members"),
        ServiceSpec("accrual", role="api"),
        ServiceSpec("accrual", role="worker"),
    )
    with own_stack(console, fleet, service_environment=POINT_TYPES) as stack:
        measured = uvloop.run(_measure(stack, seconds, per_second))
    cells = (
        f"{RULES} rules, {LINES} lines",
        f"{measured.per_second:,.0f}",
        *(f"{measured.quantile_ms(quantile):.1f}" for quantile in (0.5, 0.99)),
    )
    table = Table("receipts", "previews/s", "half within ms", "99% within ms", title="Previews", title_justify="left")
    table.add_row(*cells)
    console.print(table)
    note_down("Previews", *cells)


async def _measure(stack: LocalStack, seconds: int, per_second: int) -> Latencies:
    token = await prepare_shoppers(stack)
    await asyncio.to_thread(_await_heard_of, stack.url("accrual"), token)
    load = Load(urlsplit(stack.url("accrual")).port or 0, CONNECTIONS)
    (await load.at_rate([_preview(token, number) for number in range(WARM_UP)], per_second)).require(200)
    return (
        await load.at_rate([_preview(token, number) for number in range(per_second * seconds)], per_second)
    ).require(200)


async def prepare_shoppers(stack: LocalStack) -> str:
    """A coalition, twenty rules, and members with cards; the token that whoever measures them goes on with."""
    producer = EventProducer(stack.kafka_settings)
    try:
        await send(producer, coalition())
    finally:
        await producer.stop()
    await asyncio.to_thread(publish_document, stack, twenty_rules(), BEGAN_AT)
    token = stack.token()
    enrolling = Load(urlsplit(stack.url("members")).port or 0, CONNECTIONS)
    (await enrolling.at_full_speed([enrolment(token, number) for number in range(MEMBERS)])).require(201)
    return token


def _await_heard_of(url: str, token: str) -> None:
    """Until accrual knows the last card."""
    with httpx2.Client(timeout=10.0, headers={"Authorization": f"Bearer {token}"}) as http:
        for _ in range(int(HEARD_OF_SECONDS_MAX / ASK_AGAIN_SECONDS)):
            answer = http.post(f"{url}/v1/receipts:preview", json=receipt(MEMBERS - 1))
            if answer.is_success and answer.json()["status"] == "awarded":
                return
            time.sleep(ASK_AGAIN_SECONDS)
    raise CommandError(f"accrual did not hear of the members within {HEARD_OF_SECONDS_MAX:.0f} s: see its log")


def _preview(token: str, number: int) -> bytes:
    return json_post("/v1/receipts:preview", token, json.dumps(receipt(number)).encode())


def receipt(number: int) -> dict[str, Any]:
    """A receipt of ten lines, on the card of one of the members."""
    amounts = [100 + (number * 37 + line * 211) % 2_000 for line in range(LINES)]
    return {
        "partner_id": PARTNER,
        "key": {
            "scheme": "sequence",
            "store_id": STORE,
            "till_id": TILL,
            "business_date": "2026-11-01",
            "shift": 1,
            "number": number + 1,
        },
        "occurred_at": "2026-11-01T12:00:00Z",
        "currency": "USD",
        "identifier": {"type": "card", "value": f"{number % MEMBERS:012d}"},
        "total_minor": sum(amounts),
        "lines": _lines(amounts),
    }


def _lines(amounts: Sequence[int]) -> list[dict[str, Any]]:
    return [
        {
            "line_id": line,
            "sku": f"sku-{line}",
            "category": CATEGORIES[line % len(CATEGORIES)],
            "quantity": "1",
            "amount_minor": amount,
        }
        for line, amount in enumerate(amounts, 1)
    ]
