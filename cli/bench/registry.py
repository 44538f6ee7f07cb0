"""``tessera bench registry``: enrolling and resolving over HTTP, with few members stored and with many."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

import asyncpg
import typer
import uvloop
from rich.console import Console
from rich.table import Table

from cli.bench.enrolling import enrolment
from cli.bench.http_load import Latencies, Load, json_post
from cli.bench.own_stack import own_stack
from cli.bench.report import note_down
from cli.bench.stored_members import store_members
from deploy.local.services import ServiceSpec
from deploy.local.stack import LocalStack

CONNECTIONS = 16
WARM_UP = 500
RESOLVES_PER_SECOND = 1_000


@dataclass(frozen=True, slots=True)
class Phase:
    """What was measured while so many members were stored."""

    stored: int
    enrolment: Latencies
    resolving: Latencies


def measure_registry(
    enrolments: Annotated[int, typer.Option(min=500, max=100_000, help="Enrolments a phase.")] = 3_000,
    seconds: Annotated[int, typer.Option(min=2, max=300, help="How long to resolve, a phase.")] = 15,
    stored: Annotated[int, typer.Option(min=10_000, max=5_000_000, help="Members stored in the second phase.")] = (
        1_000_000
    ),
) -> None:
    """Measure enrolments a second, and how long resolving takes at 1,000 a second; then again with many members.

    The clients are sixteen kept connections. A resolve counts from when it was due, so that a queue shows.
    """
    console = Console()
    fleet = (ServiceSpec("coalition"), ServiceSpec("members"))
    with own_stack(console, fleet) as stack:
        few, many = uvloop.run(_measure(stack, console, enrolments, seconds, stored))
    _show(console, few, many)
    for phase in (few, many):
        note_down("Registry", *_cells(phase))


async def _measure(
    stack: LocalStack, console: Console, enrolments: int, seconds: int, stored: int
) -> tuple[Phase, Phase]:
    load = Load(urlsplit(stack.url("members")).port or 0, CONNECTIONS)
    database = await asyncpg.connect(stack.admin_url)
    try:
        few = await _phase(load, stack.token(), 0, enrolments, seconds, 0)
        console.print(f"storing {stored:,} members …", highlight=False)
        await store_members(database, stored)
        await database.execute("checkpoint")
        many = await _phase(load, stack.token(), enrolments + WARM_UP, enrolments, seconds, stored)
    finally:
        await database.close()
    return few, many


async def _phase(load: Load, token: str, first: int, enrolments: int, seconds: int, stored: int) -> Phase:
    """Enrol, then resolve cards of those who were just enrolled, in no order that a cache would like."""
    numbers = range(first, first + WARM_UP + enrolments)
    (await load.at_full_speed([enrolment(token, number) for number in numbers[:WARM_UP]])).require(201)
    enrolling = (await load.at_full_speed([enrolment(token, number) for number in numbers[WARM_UP:]])).require(201)
    wanted = [numbers[step * 7_919 % len(numbers)] for step in range(RESOLVES_PER_SECOND * seconds)]
    (await load.at_rate([_resolve(token, number) for number in wanted[:WARM_UP]], RESOLVES_PER_SECOND)).require(200)
    resolving = (await load.at_rate([_resolve(token, number) for number in wanted], RESOLVES_PER_SECOND)).require(200)
    return Phase(stored + len(numbers), enrolling, resolving)


def _resolve(token: str, number: int) -> bytes:
    body = json.dumps({"type": "card", "value": f"{number:012d}"})
    return json_post("/v1/identifiers:resolve", token, body.encode())


def _cells(phase: Phase) -> Sequence[str]:
    return (
        f"{phase.stored:,}",
        f"{phase.enrolment.per_second:,.0f}",
        f"{phase.enrolment.quantile_ms(0.99):.1f}",
        f"{phase.resolving.per_second:,.0f}",
        f"{phase.resolving.quantile_ms(0.5):.1f}",
        f"{phase.resolving.quantile_ms(0.99):.1f}",
    )


def _show(console: Console, few: Phase, many: Phase) -> None:
    table = Table(
        "members stored", "enrolments/s", "99% within ms", "resolves/s", "half within ms", "99% within ms",
        title="Registry", title_justify="left",
    )  # fmt: skip
    for phase in (few, many):
        table.add_row(*_cells(phase))
    console.print(table)
    console.print(
        f"with {many.stored:,} members an enrolment takes"
        f" {few.enrolment.per_second / many.enrolment.per_second:.2f} times as long, a resolve"
        f" {many.resolving.quantile_ms(0.5) / few.resolving.quantile_ms(0.5):.2f} (half), "
        f"{many.resolving.quantile_ms(0.99) / few.resolving.quantile_ms(0.99):.2f} (99%)"
    )
