"""``tessera demo``: sets everything up, plays real receipts through it, tells what happened, stops."""

import asyncio
import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import asyncpg
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.demo.api import Api
from cli.demo.conversation import POINTS_NEEDED, Guest, converse
from cli.demo.documents import Document, Play, household_of, stage_play, stores_of
from cli.demo.gaps import number_consecutively, read_gaps, withhold
from cli.demo.observing import read_points
from cli.demo.panel import Basket, load_baskets
from cli.demo.playing import Advance, Pace, await_decided, await_quiet, measure_delay, post_documents, spend
from cli.demo.programme import enrol, publish_rules, register_coalition, register_partner_client
from cli.demo.showing import show
from cli.demo.statements import read_statements
from cli.demo.story import Story, read_mail, read_mails
from cli.errors import CommandError
from deploy.local.clients import fetch_token
from deploy.local.config import StackConfig
from deploy.local.ports import HOST
from deploy.local.progress import ConsoleReporter
from deploy.local.services import FLEET
from deploy.local.stack import LocalStack
from shared.ledger import verify

DIGEST_DELAY_SECONDS = 20
# Posted one by one beside the others, to measure how long a till waits for points.
SINGLE_RECEIPTS = 300
LATE_HOUSEHOLDS = 25
SPENDERS = 50
SPENT_POINTS = 100
VERIFIER = "tessera_accrual_reader"


def demo(
    as_json: Annotated[bool, typer.Option("--json", help="Write what was found as JSON, and nothing else.")] = False,
) -> None:
    """Play seven weeks of a published household panel through all services, and tell what happened.

    Starts a stack of its own on an empty folder (.tessera/demo), on the ports of tessera up: TESSERA_PORT_OFFSET shifts
    them. Takes about two minutes after the downloads.
    """
    console = Console(stderr=as_json, quiet=False)
    began = time.perf_counter()
    config = _config()
    shutil.rmtree(config.state_dir, ignore_errors=True)
    with LocalStack(config, reporter=ConsoleReporter(console)) as stack:
        story = _played(stack, console)
    story.seconds = time.perf_counter() - began
    if as_json:
        typer.echo(json.dumps(story.as_data(), default=str))
    else:
        show(console, story)
        console.print(
            f"\nDone in {story.seconds:.0f} s. What was sent and logged is still below {config.state_dir}."
            "\nNext: [bold]make up[/bold] keeps the stack running; README.md says where to read on.",
            highlight=False,
        )
    if not story.ledger["is_sound"] or story.statements["disagreeing"]:
        raise typer.Exit(1)


def _played(stack: LocalStack, console: Console) -> Story:
    """The play, its first failure as itself: a group of failures is nothing to show to people."""
    try:
        return asyncio.run(_play(stack, console))
    except BaseExceptionGroup as failures:
        first: BaseException = failures
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None


def _config() -> StackConfig:
    config = StackConfig.from_environment()
    environment = dict(config.service_environment) | {"TESSERA_DIGEST_DELAY_SECONDS": str(DIGEST_DELAY_SECONDS)}
    return replace(config, state_dir=config.state_dir / "demo", service_environment=environment)


async def _play(stack: LocalStack, console: Console) -> Story:
    story = Story()
    with console.status("Reading the panel"):
        baskets = load_baskets(datetime.now(UTC).date())
        play = stage_play(baskets, cashier_household=max(basket.household_id for basket in baskets) + 1)
        number_consecutively(play)
        withheld = withhold(play)
    story.baskets, story.receipts = len(baskets), len(play.receipts)
    story.synthetic_returns, story.synthetic_swipes = len(play.returns), len(play.fraudulent)
    async with AsyncExitStack() as exits:
        api = await exits.enter_async_context(Api(stack.url, stack.token()))
        approver = await exits.enter_async_context(Api(stack.url, stack.token("approver")))
        with _bars(console) as bars:
            households = sorted({household_of(document) for document in play.documents})
            late, enrolled = households[:LATE_HOUSEHOLDS], households[LATE_HOUSEHOLDS:]
            members = await _set_up(api, approver, bars, baskets, enrolled)
            clients = await _partner_clients(exits, stack, api)
            await _post(stack, api, clients, play, bars, story)
            members |= await _register_late(stack, api, late, story, bars)
            await _spend(api, members, play, story)
        with console.status("Waiting for fraud, messages and the last events"):
            await await_quiet(api, _metrics_urls(stack))
        await _observe(stack, api, members, play, story)
        story.gaps = await read_gaps(api, play, withheld)
    return story


async def _set_up(
    api: Api, approver: Api, bars: Progress, baskets: list[Basket], households: list[int]
) -> dict[int, str]:
    task = bars.add_task("Registering partners, stores, tills and members", total=1 + len(households))
    await register_coalition(api, stores_of(baskets))
    await publish_rules(api, approver, datetime.now(UTC))
    bars.advance(task)
    members: dict[int, str] = {}
    for start in range(0, len(households), 200):
        page = households[start : start + 200]
        members |= await enrol(api, page)
        bars.advance(task, len(page))
    return members


async def _partner_clients(exits: AsyncExitStack, stack: LocalStack, api: Api) -> dict[str, Api]:
    clients: dict[str, Api] = {}
    for partner_id in ("grocer", "fuel", "pharmacy"):
        client_id, secret = await register_partner_client(api, partner_id)
        token = await asyncio.to_thread(fetch_token, stack.url("coalition"), client_id, secret)
        clients[partner_id] = await exits.enter_async_context(Api(stack.url, token))
    return clients


async def _post(
    stack: LocalStack, api: Api, clients: Mapping[str, Api], play: Play, bars: Progress, story: Story
) -> None:
    """The bulk in batches, some one by one beside it; then until every one of them is decided."""
    documents = play.documents
    every = len(documents) // SINGLE_RECEIPTS
    singles = [document for document in documents[::every] if document["type"] == "purchase"]
    single_keys = {id(document) for document in singles}
    bulk = [document for document in documents if id(document) not in single_keys]
    posted = bars.add_task("Posting receipts through the door", total=len(documents))
    decided = bars.add_task("Deciding on them", total=len(documents))
    pace = Pace(documents=len(documents))
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        delays = group.create_task(measure_delay(api, singles, lambda count: bars.advance(posted, count)))
        group.create_task(_post_bulk(clients, bulk, lambda count: bars.advance(posted, count)))
        outcomes = group.create_task(
            await_decided(api, _accrual_metrics(stack), len(documents), lambda count: bars.advance(decided, count))
        )
    pace.settle_seconds = time.perf_counter() - began
    pace.delays_seconds = delays.result()
    story.outcomes = outcomes.result()
    story.purchases_per_second = pace.per_second
    story.delay_ms_p50 = pace.delay_percentile(50) * 1000
    story.delay_ms_p99 = pace.delay_percentile(99) * 1000


async def _post_bulk(clients: Mapping[str, Api], bulk: list[Document], advance: Advance) -> None:
    """Purchases first: a return that came before its purchase would only wait for it."""
    for kind in ("purchase", "return"):
        await post_documents(clients, [document for document in bulk if document["type"] == kind], advance)


async def _register_late(
    stack: LocalStack, api: Api, households: list[int], story: Story, bars: Progress
) -> dict[int, str]:
    """Cards that were unknown until now: their receipts waited, and are credited when the card is registered."""
    waiting = story.outcomes.get("parked (unknown_identifier)", 0)
    task = bars.add_task("Registering the cards that were unknown", total=waiting)
    members = await enrol(api, households)
    before = sum(story.outcomes.values())
    progressed = -before

    def progress(count: int) -> None:
        nonlocal progressed
        progressed += count
        bars.update(task, completed=min(waiting, max(0, progressed)))

    await await_decided(api, _accrual_metrics(stack), before + waiting, progress)
    story.credited_after_registration = waiting
    return members


async def _spend(api: Api, members: Mapping[int, str], play: Play, story: Story) -> None:
    story.members = len(members)
    documents: dict[str, Document] = {}
    for document in play.receipts:
        if document["partner_id"] == "grocer":
            documents.setdefault(members[household_of(document)], document)
    spenders = sorted(documents)[:: max(1, len(documents) // SPENDERS)][:SPENDERS]
    story.spending = await spend(api, spenders, SPENT_POINTS, documents)
    guest = await _guest(api, members, documents, spenders)
    story.member_id = guest.member_id
    story.conversation = list(await converse(api, guest))


async def _guest(
    api: Api, members: Mapping[int, str], documents: Mapping[str, Document], spenders: Sequence[str]
) -> Guest:
    """A member with points enough for the till's conversation, and who has spent none yet."""
    households = {member_id: number for number, member_id in members.items()}
    for member_id in sorted(documents.keys() - set(spenders)):
        balance = await api.get("redemption", f"/v1/members/{member_id}/balance")
        if balance["balances"][0]["available"] >= POINTS_NEEDED:
            return Guest(member_id, households[member_id], documents[member_id])
    raise CommandError(f"no member has {POINTS_NEEDED} points to spend")


async def _observe(stack: LocalStack, api: Api, members: Mapping[int, str], play: Play, story: Story) -> None:
    seen = await read_points(stack.kafka_settings)
    story.points_earned, story.points_clawed_back = seen.earned, seen.clawed_back
    story.points_by_partner, story.points_by_rule = seen.by_partner, seen.by_rule
    story.held_awards = len(seen.held)
    story.held_points = sum(event.data.points for event in seen.held)
    balances = await api.get("redemption", f"/v1/members/{story.member_id}/balance")
    story.balance = balances["balances"][0]
    story.statement = (await api.get("redemption", f"/v1/members/{story.member_id}/statement"))["items"]
    story.statements = await read_statements(api, members.values())
    story.receipt = await _receipt_to_show(api, play)
    cases = (await api.get("fraud", "/v1/cases?limit=100"))["items"]
    swiper = members[household_of(play.fraudulent[0])]
    story.cases = sorted(cases, key=lambda case: case["member_id"] != swiper)
    mails = read_mails(stack.config.mail_dir)
    story.mails = len(mails)
    household = next(number for number, member_id in members.items() if member_id == story.member_id)
    story.mail = read_mail(mails, f"household-{household}@")
    story.ledger = await _verify(stack)


async def _receipt_to_show(api: Api, play: Play) -> dict[str, object]:
    """A receipt worth showing: of the grocer's, with something that counts double."""
    document = next(
        document
        for document in play.receipts
        if len(document["lines"]) > 5 and any(line["category"] == "PRODUCE" for line in document["lines"])
    )
    taken = await api.post("accrual", "/v1/receipts", document)  # posted again: it changes nothing, and says its id
    found: dict[str, object] = await api.get("accrual", f"/v1/receipts/{taken['receipt_id']}")
    return found


async def _verify(stack: LocalStack) -> dict[str, object]:
    connection = await asyncpg.connect(stack.database_url(VERIFIER))
    try:
        found = await verify(connection)
    finally:
        await connection.close()
    return {
        "is_sound": found.is_sound,
        "accounts": found.accounts,
        "lots": found.lots,
        "holds": found.holds,
        "transfers": found.transfers,
        "findings": found.findings_total,
    }


def _metrics_urls(stack: LocalStack) -> list[str]:
    return [f"http://{HOST}:{spec.port(stack.config)}/metrics" for spec in FLEET if spec.role != "api"]


def _accrual_metrics(stack: LocalStack) -> str:
    spec = next(spec for spec in FLEET if spec.name == "accrual" and spec.role == "worker")
    return f"http://{HOST}:{spec.port(stack.config)}/metrics"


@contextmanager
def _bars(console: Console) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield progress
