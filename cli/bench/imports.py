"""``tessera bench imports``: partners' files of members and of articles, in rows a minute."""

import time
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Annotated

import httpx2
import typer
import uvloop
from rich.console import Console

from cli.bench.own_stack import own_stack
from cli.bench.report import note_down
from cli.errors import CommandError
from deploy.local.services import ServiceSpec
from deploy.local.stack import LocalStack

PARTNER = "bench"
CHUNK_ROWS = 500
IMPORT_SECONDS_MAX = 1_800.0
MEMBER_COLUMNS = "given_name,family_name,email,phone,card,birth_date,address_line_1,postal_code,city,country"
ARTICLE_COLUMNS = "sku,gtin,brand,category,is_excluded,price_floor_minor"


def measure_imports(
    rows: Annotated[int, typer.Option(min=1_000, max=5_000_000, help="Rows of each file.")] = 30_000,
) -> None:
    """Measure how many rows a minute a file of members and a file of articles are taken in, every row being new.

    The file is sent as fast as it is read, in one request; the clock runs from its first byte to the report.
    """
    console = Console()
    fleet = (ServiceSpec("coalition"), ServiceSpec("members"))
    with own_stack(console, fleet) as stack:
        members, articles = uvloop.run(_measure(stack, rows))
    console.print(f"members: {members:,.0f} rows a minute, articles: {articles:,.0f}", highlight=False)
    note_down("Imports", f"{rows:,}", f"{members:,.0f}", f"{articles:,.0f}")


async def _measure(stack: LocalStack, rows: int) -> tuple[float, float]:
    headers = {"Authorization": f"Bearer {stack.token()}"}
    async with httpx2.AsyncClient(timeout=IMPORT_SECONDS_MAX, trust_env=False, headers=headers) as client:
        partner = {"partner_id": PARTNER, "name": "Bench"}
        await _post(client, f"{stack.url('coalition')}/v1/partners", partner)
        members = await _import(
            client, stack.url("members"), "/v1/member-imports", {"language": "en"}, _file(MEMBER_COLUMNS, _member, rows)
        )
        articles = await _import(
            client,
            stack.url("coalition"),
            f"/v1/partners/{PARTNER}/article-imports",
            {},
            _file(ARTICLE_COLUMNS, _article, rows),
        )
    return rows / members * 60, rows / articles * 60


async def _import(
    client: httpx2.AsyncClient, url: str, path: str, body: dict[str, str], content: AsyncIterator[bytes]
) -> float:
    """Send one file; how many seconds it took comes back."""
    declared = await _post(client, url + path, body)
    began_seconds = time.monotonic()
    answer = await client.put(url + declared["content_url"], content=content, headers={"Content-Type": "text/csv"})
    lasted_seconds = time.monotonic() - began_seconds
    if answer.is_error or answer.json()["refused"]:
        raise CommandError(f"the file was not taken in whole: {answer.status_code} {answer.text}")
    return lasted_seconds


async def _post(client: httpx2.AsyncClient, url: str, body: dict[str, str]) -> dict[str, str]:
    answer = await client.post(url, json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
    if answer.is_error:
        raise CommandError(f"{url} answered {answer.status_code} {answer.text}")
    told: dict[str, str] = answer.json()
    return told


async def _file(columns: str, row: Callable[[int], str], rows: int) -> AsyncIterator[bytes]:
    yield f"{columns}\n".encode()
    for first in range(0, rows, CHUNK_ROWS):
        yield "".join(row(number) for number in range(first, min(first + CHUNK_ROWS, rows))).encode()


def _member(number: int) -> str:
    return (
        f"Ada,Lovelace {number},member-{number}@example.com,+1212555{number % 10_000:04d},{number:012d},"
        f"1990-02-{number % 28 + 1:02d},{number} Main Street,1000{number % 10},New York,US\n"
    )


def _article(number: int) -> str:
    return f"a{number:07d},96385074,Brand,CAT{number % 50},{'true' if number % 40 == 0 else ''},{number}\n"
