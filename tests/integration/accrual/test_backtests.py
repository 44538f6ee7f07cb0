"""Backtests: rules that were in force give what was awarded, a draft what it would have given, to the last point."""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from cli.main import app
from services.accrual.backtest_process import EXIT_ORPHANED, BacktestJob
from services.accrual.backtesting import COMMAND, BacktestProcesses
from services.accrual.domain.rules import RuleSet
from services.accrual.repository import backtests
from services.accrual.schemas.backtest_report import BacktestReport
from services.accrual.settings import AccrualSettings
from shared.database import Database
from shared.database.roles import reader_name, role_name
from shared.events.purchases import PurchaseEvent, PurchaseRecorded
from tests.support.accrual import Accrual
from tests.support.backtests import (
    PATH,
    asked,
    awarded_by_rule,
    differences,
    exchanged,
    handed_over,
    net_points,
    report_of,
    run_next,
    run_when_asked,
)
from tests.support.databases import FreshDatabase, made_database
from tests.support.receipts import NOON, enrolled, line, member, purchase, return_of, void_of
from tests.support.registries import REQUIRED, bearing, token
from tests.support.rule_sets import drafted, slug
from tests.support.servers import TestServers
from tests.support.serving import served
from tests.support.until import until

FIRST, LAST = date(2026, 10, 29), date(2026, 11, 1)
DAY = {"kind": "calendar", "unit": "day", "zone": "store"}
WEEK = {"kind": "rolling", "days": 7, "zone": "programme"}
RECEIPTS = 57  # three of them exchanges, three paid ahead and three that hand that over
MEMBERS = [member(number) for number in range(1, 7)]
PAYS_AHEAD = member(7)


def rule(rule_id: str, effect: dict[str, Any], when: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"id": rule_id, "name": f"Rule <{rule_id}>", "effect": effect, "condition": {"when": when}} | more


def fixed(points: int) -> dict[str, Any]:
    return {"kind": "fixed_points", "points": points}


def rules_of(points: int, day_max: int, budget: int, produce_percent: int) -> dict[str, Any]:
    """A rate with a cap of a day, a multiplier, a campaign with a budget, and rules that ask what was bought before."""
    spent = {"kind": "spend", "at_least_minor": 8_000, "window": WEEK}
    return {
        "counted": {"prepayments": "at_payment"},
        "campaigns": [
            {
                "id": "autumn",
                "name": "Autumn",
                "from_date": "2026-10-01",
                "until_date": "2026-12-31",
                "zone": "programme",
                "budget": {"points_max": budget},
            }
        ],
        "caps": [{"kind": "member", "points_max": 250, "window": WEEK}],
        "rules": [
            rule(
                "rate",
                {"kind": "points_per_amount", "points": points, "step_minor": 100},
                caps=[{"kind": "member", "points_max": day_max, "window": DAY}],
            ),
            rule("produce", {"kind": "multiplier", "percent": produce_percent})
            | {"condition": {"categories": ["PRODUCE"]}},
            rule("first", fixed(50), {"kind": "first_purchase"}),
            rule("spent", fixed(20), spent),
            rule("autumn", fixed(15), {"kind": "amount", "at_least_minor": 4_000}, campaign="autumn"),
        ],
    }


MONTH = {"kind": "calendar", "unit": "month", "zone": "store"}
# Beside other rates and caps, what nobody had counted: a cap of its own, visits by the store's days.
IN_FORCE, DRAFT = rules_of(1, 90, 120, 200), rules_of(2, 130, 90, 150)
IN_FORCE["rules"] += [
    rule("status", {"kind": "points_per_amount", "point_type": "status", "points": 2, "step_minor": 100}),
]
DRAFT["rules"] += [
    rule("visits", fixed(5), {"kind": "nth", "nth": 2, "counted": "visits", "repeats": True, "window": MONTH}),
    rule(
        "small",
        {"kind": "points_per_amount", "points": 1, "step_minor": 500},
        caps=[{"kind": "member", "points_max": 9, "window": MONTH}],
    ),
]
DRAFT["exclusions"] = {"categories": ["MEAT"]}


def published(document: dict[str, Any]) -> RuleSet:
    return RuleSet.model_validate(document | {"version": 1, "effective_from": datetime(2026, 10, 1, tzinfo=UTC)})


def history(seed: int) -> list[list[PurchaseEvent]]:
    """Batches of purchases of three days, some late, and of returns of what was bought before them."""
    chance = random.Random(seed)
    bought: list[PurchaseRecorded] = []
    batches: list[list[PurchaseEvent]] = []
    for batch in range(8):
        fresh = [_bought(chance, batch * 10 + number) for number in range(6)]
        bought += fresh
        batches.append([*fresh])
        some = {one.data.receipt_id: one for one in chance.choices(bought, k=2)}.values()
        batches.append(
            [
                return_of(one, 200 + batch * 10 + number, {1: chance.randint(1, 120)}, owner=one.data.member_id)
                for number, one in enumerate(some)
            ]
        )
        if batch == 4:
            batches.append([void_of(bought[0], 400), void_of(bought[20], 401)])
        if batch == 5:
            batches += [*exchanged(bought[30:33]), *handed_over(PAYS_AHEAD)]
    return batches


def _bought(chance: random.Random, number: int) -> PurchaseRecorded:
    at = NOON - timedelta(days=chance.choice((0, 0, 1, 2)), minutes=chance.randint(0, 600))
    lines = [
        line(1, chance.randint(500, 6_000)),
        line(2, chance.randint(0, 3_000), "PRODUCE"),
        line(3, chance.choice((0, 900)), "MEAT"),
    ]
    return purchase(number, lines, owner=chance.choice(MEMBERS), occurred_at=at)


@pytest.fixture(scope="module")
async def played(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    """A history under the rules in force."""
    accrual = Accrual(Database(module_database.url(role_name("accrual"))))
    await play(accrual, IN_FORCE)
    yield accrual
    await accrual.database.close()


async def play(accrual: Accrual, document: dict[str, Any]) -> None:
    await accrual.begin(rule_set=published(document))
    await accrual.members(*(enrolled(owner) for owner in (*MEMBERS, PAYS_AHEAD)))
    for batch in history(7):
        await accrual.award(*batch)


@pytest.fixture(scope="module")
async def reader(module_database: FreshDatabase) -> AsyncIterator[Database]:
    database = Database(module_database.url(reader_name("accrual")))
    yield database
    await database.close()


@pytest.fixture
async def rule_set_id(client: httpx2.AsyncClient, played: Accrual) -> str:  # noqa: ARG001
    """The draft."""
    return (await drafted(client, DRAFT)).rpartition("/")[2]


async def test_rules_that_were_in_force_give_what_was_awarded(
    client: httpx2.AsyncClient, played: Accrual, reader: Database
) -> None:
    """With caps of a day and of seven, a budget, what was bought before, late receipts and returns."""
    in_force = (await client.get("/v1/rule-sets/1", headers=bearing())).json()["rule_set_id"]
    path = await asked(client, in_force, LAST, from_date=f"{FIRST}")
    await run_next(played.database, reader)

    report = await report_of(client, path)
    assert report.receipts == RECEIPTS
    groups = (report.rules, report.partners_compared, report.tiers, report.stores, report.days)
    assert differences([report.total, *(one for group in groups for one in group)]) == {0}
    given, taken_back = await net_points(played.database)
    assert (report.total.awarded.points, report.total.awarded.taken_back) == (given, taken_back)
    assert taken_back > 0
    assert {one.rule_id: one.awarded.points for one in report.rules if one.awarded.points} == await awarded_by_rule(
        played.database
    )
    assert report.members.unchanged == report.members.members == len(MEMBERS) + 1
    assert report.caps
    assert report.not_judged == 0


async def test_a_draft_gives_what_it_would_have_given_had_it_been_in_force(
    client: httpx2.AsyncClient, played: Accrual, reader: Database, rule_set_id: str, stack: TestServers
) -> None:
    """The same history, played under the draft in another database, is what the backtest foretells."""
    path = await asked(client, rule_set_id, LAST, from_date=f"{FIRST}", point_price="0.01")
    await run_next(played.database, reader)
    report = await report_of(client, path)
    async with made_database(stack) as other:
        twin = Accrual(Database(other.url(role_name("accrual"))))
        await play(twin, DRAFT)
        given, taken_back = await net_points(twin.database)
        by_rule = await awarded_by_rule(twin.database)
        await twin.database.close()

    assert {one.rule_id: one.drafted.points for one in report.rules if one.drafted.points} == by_rule
    assert (report.total.drafted.points, report.total.drafted.taken_back) == (given, taken_back)
    assert report.total.drafted.cost == Decimal(given - taken_back) / 100
    assert sum(one.net_points_difference for one in report.days) == report.total.net_points_difference != 0
    changed = report.members.winners.net_points_difference + report.members.losers.net_points_difference
    assert changed == report.total.net_points_difference


async def test_the_page_escapes_what_was_said_and_tells_members_to_whoever_may_see_them(
    client: httpx2.AsyncClient, played: Accrual, reader: Database, rule_set_id: str
) -> None:
    path = await asked(client, rule_set_id, LAST, from_date=f"{FIRST}")
    assert slug(await client.get(f"{path}/report", headers=bearing())) == (409, "backtest-not-done")
    await run_next(played.database, reader)

    page = await client.get(f"{path}/report.html", headers=bearing())
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "Rule &lt;rate&gt;" in page.text
    assert "<rate>" not in page.text
    assert "<script" not in page.text
    foremost = (await report_of(client, path)).members.winners.foremost
    assert foremost
    assert str(foremost[0].member_id) in page.text
    without = await client.get(f"{path}/report", headers=bearing("backtests:read"))
    assert BacktestReport.model_validate_json(without.content).members.winners.foremost is None
    hidden = await client.get(f"{path}/report.html", headers=bearing("backtests:read"))
    assert str(foremost[0].member_id) not in hidden.text


async def test_a_backtest_is_cancelled_though_whoever_ran_it_is_gone(
    client: httpx2.AsyncClient, played: Accrual, rule_set_id: str
) -> None:
    path = await asked(client, rule_set_id, LAST)
    claimed = await played.database.run(backtests.claim)
    assert claimed is not None
    assert (await client.get(path, headers=bearing())).json()["state"] == "running"

    ended = await client.post(f"{path}/cancel", headers=bearing(client_id="carol"))
    assert (ended.json()["state"], ended.json()["ended_by"]) == ("cancelled", "carol")
    async with played.database.transaction() as transaction:
        assert not await backtests.save_progress(transaction, claimed.backtest_id, claimed.epoch, 1, 1)
        assert not await backtests.finish(transaction, claimed.backtest_id, claimed.epoch, b"{}", 1)
    assert (await client.post(f"{path}/cancel", headers=bearing())).status_code == 200
    assert slug(await client.get(f"{path}/report", headers=bearing())) == (409, "backtest-not-done")


async def test_one_whose_runners_keep_dying_is_given_up(
    client: httpx2.AsyncClient, played: Accrual, rule_set_id: str
) -> None:
    path = await asked(client, rule_set_id, LAST)
    for attempt in range(backtests.ATTEMPTS_MAX):
        claimed = await played.database.run(backtests.claim)
        assert claimed is not None, f"attempt {attempt}"
        assert await played.database.run(backtests.claim) is None
        async with played.database.transaction() as transaction:
            await transaction.raw.execute("update backtests set lease_until = now() where state = 'running'")

    assert await played.database.run(backtests.claim) is None
    told = (await client.get(path, headers=bearing())).json()
    assert (told["state"], told["failure"]) == ("failed", "kept_failing")


async def test_a_worker_runs_it_in_a_process_of_its_own(
    module_database: FreshDatabase, client: httpx2.AsyncClient, played: Accrual, rule_set_id: str
) -> None:
    path = await asked(client, rule_set_id, LAST, from_date=f"{FIRST}")
    urls = {name: module_database.url(role) for name, role in _ROLES.items()}
    processes = BacktestProcesses(
        played.database, AccrualSettings.model_validate(REQUIRED | urls | {"receipt_retro_days": 3_650})
    )
    await processes.look_after()
    (pid,) = processes.pids
    await processes.stop()  # as a worker that is told to end
    assert (await client.get(path, headers=bearing())).json()["state"] == "queued"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)

    async def is_done() -> bool:
        await processes.look_after()
        told = (await client.get(path, headers=bearing())).json()
        return bool(told["state"] == "done")

    await until(is_done)
    await processes.stop()
    assert (await report_of(client, path)).receipts == RECEIPTS
    told = (await client.get(path, headers=bearing())).json()
    assert told["receipts_read"] >= RECEIPTS


_ROLES = {"database_url": role_name("accrual"), "reader_database_url": reader_name("accrual")}


async def test_the_command_follows_it_and_writes_both_reports(
    module_app: FastAPI,
    played: Accrual,
    reader: Database,
    rule_set_id: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TESSERA_TOKEN", token())
    days = ["--from", f"{FIRST}", "--until", f"{LAST}"]
    out = tmp_path / "october"
    async with served(module_app) as url:
        asking = [rule_set_id, *days, "--price", "0.02", "--out", f"{out}", "--url", url]
        command = asyncio.create_task(asyncio.to_thread(CliRunner().invoke, app, ["backtest", *asking]))
        await run_when_asked(played.database, reader)
        result = await command
    assert result.exit_code == 0, result.output
    report = BacktestReport.model_validate_json(out.with_name("october.json").read_bytes())
    assert report.receipts == RECEIPTS
    assert report.total.awarded.cost == Decimal(report.total.awarded.net_points) / 50
    assert "</html>" in out.with_name("october.html").read_text()


async def test_the_process_ends_with_the_worker_that_started_it() -> None:
    """Though it is in the midst of something: here of a database that does not answer."""
    silent = await asyncio.start_server(lambda *_: asyncio.sleep(60), "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        url = f"postgresql://nobody@127.0.0.1:{port}/none"
        job = BacktestJob(
            backtest_id=MEMBERS[0],
            epoch=1,
            database_url=url,
            reader_url=url,
            point_type="points",
            currency="USD",
            time_zone="UTC",
            parked_window_days=30,
            receipt_retro_days=90,
            log_level="info",
        )
        process = await asyncio.create_subprocess_exec(*COMMAND, stdin=asyncio.subprocess.PIPE)
        await process.communicate(job.model_dump_json().encode() + b"\n")
    assert process.returncode == EXIT_ORPHANED


async def test_what_was_bought_before_the_period_counts_for_rules_that_nobody_had_then(
    client: httpx2.AsyncClient, played: Accrual, reader: Database
) -> None:
    zoe = member(99)
    await played.members(enrolled(zoe))
    for days in (22, 21, 20):
        await played.award(purchase(600 + days, 1_000, owner=zoe, occurred_at=NOON - timedelta(days=days)))
    third = {
        "kind": "nth",
        "nth": 3,
        "counted": "visits",
        "window": {"kind": "rolling", "days": 4, "zone": "programme"},
    }
    own = [one for one in IN_FORCE["rules"] if one["id"] != "status"]
    document = IN_FORCE | {"rules": [*own, rule("third", fixed(33), third)]}
    rule_set = (await drafted(client, document)).rpartition("/")[2]
    path = await asked(client, rule_set, (NOON - timedelta(days=20)).date())
    await run_next(played.database, reader)

    report = await report_of(client, path)
    assert report.receipts == 1
    assert [one.drafted.points for one in report.rules if one.rule_id == "third"] == [33]
    assert report.approximations == ["counters_from_before_the_period_as_they_stand_now"]
    assert report.total.net_points_difference == 33


async def test_what_cannot_be_asked_for_says_why(client: httpx2.AsyncClient, rule_set_id: str) -> None:
    async def refused(**fields: Any) -> tuple[int, str]:
        body = {"rule_set_id": rule_set_id, "from_date": f"{LAST}", "until_date": f"{LAST}"} | fields
        return slug(await client.post(PATH, json=body, headers=bearing()))

    assert await refused(until_date=f"{FIRST}") == (422, "invalid-request")
    assert await refused(until_date="2099-01-01") == (422, "invalid-request")
    assert await refused(from_date="2024-01-01") == (422, "invalid-request")
    assert await refused(rule_set_id="018f0000-0000-7000-8000-000000000000") == (404, "not-found")
    stranger = await client.post(PATH, json={}, headers=bearing("rules:read"))
    assert stranger.status_code == 403
