"""Rules that were in force give what was awarded, whatever had become of the points that goods take back with them."""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import httpx2
import pytest

from shared.database import Database
from shared.database.roles import reader_name, role_name
from shared.ledger import AdjustDown
from tests.support.accrual import PROGRAMME, Accrual
from tests.support.adjusting import new_member
from tests.support.backtests import asked, report_of, run_next
from tests.support.databases import FreshDatabase
from tests.support.earning_in_parts import rule, rule_set
from tests.support.ledger_database import posted
from tests.support.moving_clock import MovingClock
from tests.support.pending_points import DELIVERED, bought, numbers, run_releases
from tests.support.receipts import enrolled, line, return_of
from tests.support.registries import bearing

LAPSES = DELIVERED | {"at_last": "lapse"}
RULES = rule_set(
    rule("base"),
    rule("order", condition={"categories": ["ORDER"]}, apply_in="fixed", pending=LAPSES),
    returns={"claw_back": "clip"},
)


@pytest.fixture(scope="module")
async def module_accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    accrual = Accrual(Database(module_database.url(role_name("accrual")), zone=PROGRAMME.zone))
    await accrual.begin(rule_set=RULES)
    yield accrual
    await accrual.database.close()


async def test_points_that_were_spent_or_had_lapsed_count_as_the_rules_say_on_both_sides(
    client: httpx2.AsyncClient, module_accrual: Accrual, module_database: FreshDatabase
) -> None:
    clock = MovingClock(await asyncpg.connect(module_database.admin_url))
    reader = Database(module_database.url(reader_name("accrual")))
    day = await clock.next_noon()
    spender, waiter = new_member(), new_member()
    await module_accrual.members(enrolled(spender), enrolled(waiter))
    sale = await bought(clock, spender, line(1, 10_000))
    order = await bought(clock, waiter, line(1, 1_000, "ORDER"))
    await module_accrual.award(sale, order)
    await posted(module_accrual.database, AdjustDown(spender, "points", b"spent", 80))
    await clock.set_to(day + timedelta(days=4))
    await run_releases(module_accrual)
    await module_accrual.award(return_of(sale, next(numbers), {1: 400}), return_of(order, next(numbers), {1: 500}))
    await module_accrual.award(return_of(sale, next(numbers), {1: 600}), return_of(order, next(numbers), {1: 500}))

    in_force = (await client.get("/v1/rule-sets/1", headers=bearing())).json()["rule_set_id"]
    path = await asked(client, in_force, day)
    await run_next(module_accrual.database, reader)

    report = await report_of(client, path)
    assert (report.total.awarded.points, report.total.awarded.taken_back) == (100 + 20, 100 + 20)
    compared = [report.total, *report.rules, *report.days]
    assert {(one.net_points_difference, one.awarded == one.drafted) for one in compared} == {(0, True)}
    assert (report.members.winners.members, report.members.losers.members) == (0, 0)
    await reader.close()
