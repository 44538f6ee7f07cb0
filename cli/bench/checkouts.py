"""``tessera bench checkouts``: how long a till waits for its one call before a basket is paid."""

import asyncio
import json
import re
import time
from typing import Annotated
from urllib.parse import urlsplit

import httpx2
import typer
import uvloop
from rich.console import Console
from rich.table import Table

from cli.bench.http_load import Latencies, Load, json_post
from cli.bench.own_stack import own_stack
from cli.bench.previews import (
    ASK_AGAIN_SECONDS,
    CONNECTIONS,
    HEARD_OF_SECONDS_MAX,
    LINES,
    MEMBERS,
    RULES,
    prepare_shoppers,
    receipt,
)
from cli.bench.report import note_down
from cli.bench.rules import POINT_TYPES
from cli.bench.workload import PARTNER, STORE, TILL
from cli.errors import CommandError
from deploy.local.services import ServiceSpec
from deploy.local.stack import LocalStack

WARM_UP = 500

_PARTS = re.compile(
    r'^tessera_redemption_checkout_parts_total\{outcome="(\w+)",part="\w+"\} ([0-9.e+]+)$', re.MULTILINE
)


def measure_checkouts(
    seconds: Annotated[int, typer.Option(min=2, max=300, help="How long to check out.")] = 20,
    per_second: Annotated[int, typer.Option(min=5, max=1_000, help="Checkouts a second.")] = 50,
) -> None:
    """Measure checkouts of ten-line baskets under twenty rules, with a name, each counted from when it was due."""
    console = Console()
    fleet = (
        ServiceSpec("coalition"),
        ServiceSpec("members"),
        *(ServiceSpec(name, role=role) for name in ("accrual", "redemption") for role in ("api", "worker")),
    )
    with own_stack(console, fleet, service_environment=POINT_TYPES) as stack:
        measured, left_out = uvloop.run(_measure(stack, seconds, per_second))
    cells = (
        f"{RULES} rules, {LINES} lines",
        f"{measured.per_second:,.0f}",
        *(f"{measured.quantile_ms(quantile):.1f}" for quantile in (0.5, 0.99)),
        str(left_out),
    )
    table = Table("baskets", "checkouts/s", "half within ms", "99% within ms", "parts left out", title="Checkouts")
    table.add_row(*cells)
    console.print(table)
    note_down("Checkouts", *cells)


async def _measure(stack: LocalStack, seconds: int, per_second: int) -> tuple[Latencies, int]:
    token = await prepare_shoppers(stack)
    buying = Load(_port(stack, "accrual"), CONNECTIONS)
    bought = [json_post("/v1/receipts", token, json.dumps(receipt(number)).encode()) for number in range(MEMBERS)]
    (await buying.at_full_speed(bought)).require(202)
    url = stack.url("redemption")
    await asyncio.to_thread(_await_points, url, token)
    load = Load(_port(stack, "redemption"), CONNECTIONS)
    (await load.at_rate([_checkout(token, number) for number in range(WARM_UP)], per_second)).require(201)
    before = await asyncio.to_thread(_left_out, url)
    requests = [_checkout(token, number) for number in range(per_second * seconds)]
    measured = (await load.at_rate(requests, per_second)).require(201)
    return measured, await asyncio.to_thread(_left_out, url) - before


def _port(stack: LocalStack, service: str) -> int:
    return urlsplit(stack.url(service)).port or 0


def _await_points(url: str, token: str) -> None:
    """Until the last member has points that redemption would let it spend, and is greeted."""
    with httpx2.Client(timeout=10.0, headers={"Authorization": f"Bearer {token}"}) as http:
        for _ in range(int(HEARD_OF_SECONDS_MAX / ASK_AGAIN_SECONDS)):
            told = http.post(f"{url}/v1/checkouts", json=_basket(MEMBERS - 1)).raise_for_status().json()
            if not told["absent"] and told["spend"]["points"]:
                return
            time.sleep(ASK_AGAIN_SECONDS)
    raise CommandError(f"redemption did not see the members' points within {HEARD_OF_SECONDS_MAX:.0f} s: see its log")


def _left_out(url: str) -> int:
    """How many parts were not there so far."""
    metrics = httpx2.get(f"{url}/metrics", timeout=10.0).raise_for_status().text
    return int(sum(float(number) for outcome, number in _PARTS.findall(metrics) if outcome != "there"))


def _checkout(token: str, number: int) -> bytes:
    return json_post("/v1/checkouts", token, json.dumps(_basket(number)).encode())


def _basket(number: int) -> dict[str, object]:
    bought = receipt(number)
    at_till = {"partner_id": PARTNER, "store_id": STORE, "till_id": TILL}
    return at_till | {"identifier": bought["identifier"], "lines": bought["lines"]}
