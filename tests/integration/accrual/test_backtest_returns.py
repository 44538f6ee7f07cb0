"""Rules that were in force give what was awarded, whatever had become of the points that goods take back with them."""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import httpx2
import pytest

from shared.database import Database
from shared.database.roles import reader_name
from shared.events.purchases import Tender
from shared.ledger import AdjustDown
from tests.support.accrual import PROGRAMME, Accrual, begun_accrual
from tests.support.accrual_members import new_member
from tests.support.backtests import asked, handed_over, report_of, run_next
from tests.support.databases import FreshDatabase
from tests.support.earning_in_parts import rule, rule_set
from tests.support.ledger_database import posted
from tests.support.moving_clock import MovingClock
from tests.support.pending_points import DELIVERED, bought, numbers, run_releases
from tests.support.receipts import NOON, enrolled, line, purchase, return_of, void_of
from tests.support.registries import bearing
from tests.support.rule_sets import drafted

LAPSES = DELIVERED | {"at_last": "lapse"}
RULES = rule_set(
    rule("base"),
    rule("order", condition={"categories": ["ORDER"]}, apply_in="fixed", pending=LAPSES),
    returns={"claw_back": "clip"},
)


@pytest.fixture(scope="module")
async def module_accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULES, zone=PROGRAMME.zone) as accrual:
        yield accrual


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


async def test_a_draft_that_lets_prepayments_earn_takes_them_back_at_the_handover(
    client: httpx2.AsyncClient, module_accrual: Accrual, module_database: FreshDatabase
) -> None:
    """Paid before, with and after their handover; of a fourth the handover is voided: what was paid ahead stays."""
    reader = Database(module_database.url(reader_name("accrual")))
    owner = new_member()
    await module_accrual.members(enrolled(owner))
    for batch in handed_over(owner):
        await module_accrual.award(*batch)
    paid = purchase(next(numbers), [line(1, 6_000, settlement="prepayment")], owner=owner)
    tenders = [Tender(kind="prepaid", amount_minor=6_000), Tender(kind="card", amount_minor=4_000)]
    goods = purchase(next(numbers), 10_000, owner=owner, tenders=tenders, prepaid=[paid])
    await module_accrual.award(paid, goods)
    await module_accrual.award(void_of(goods, next(numbers)))
    given = RULES.model_dump(mode="json", exclude={"version", "effective_from"})
    draft = await drafted(client, given | {"counted": {"prepayments": "at_payment"}})

    path = await asked(client, draft.rpartition("/")[2], NOON.date(), from_date=f"{NOON.date() - timedelta(days=2)}")
    await run_next(module_accrual.database, reader)

    report = await report_of(client, path)
    (base,) = [one for one in report.rules if one.rule_id == "base"]
    # Three sales of a hundred dollars of which thirty came back, and one that never was; each had sixty paid ahead.
    assert (base.awarded.points, base.awarded.taken_back) == (400, 130)
    assert (base.drafted.points, base.drafted.taken_back) == (400 + 240, 130 + 180)
    assert (report.total.net_points_difference, report.approximations) == (60, [])
    await reader.close()
