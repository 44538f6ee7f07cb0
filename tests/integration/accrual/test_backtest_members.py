"""Members whom reports of backtests name: whoever is erased is in no report; and how many may wait at once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID

import httpx2
import pytest

from services.accrual.domain.backtests.requests import QUEUED_MAX
from shared.database import Database
from shared.database.roles import reader_name
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import new_member
from tests.support.backtests import PATH, asked, report_of, run_next
from tests.support.databases import FreshDatabase
from tests.support.member_events import erased
from tests.support.receipts import NOON, enrolled, purchase
from tests.support.registries import bearing
from tests.support.rule_sets import drafted, rules_document


@pytest.fixture(scope="module")
async def module_accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database) as accrual:
        yield accrual


@pytest.fixture
async def reader(module_database: FreshDatabase) -> AsyncIterator[Database]:
    database = Database(module_database.url(reader_name("accrual")))
    yield database
    await database.close()


async def named(client: httpx2.AsyncClient, path: str) -> list[UUID]:
    """Those who win most, the first first."""
    return [one.member_id for one in (await report_of(client, path)).members.winners.foremost or ()]


async def test_who_is_erased_is_named_by_no_report_of_before_or_after(
    client: httpx2.AsyncClient, module_accrual: Accrual, reader: Database
) -> None:
    anna, bert, carl = members = [new_member() for _ in range(3)]
    await module_accrual.members(*(enrolled(one) for one in members))
    await module_accrual.award(*(purchase(number, number * 1_000, owner=one) for number, one in enumerate(members, 1)))
    draft = (await drafted(client, rules_document(2))).rpartition("/")[2]
    first = await asked(client, draft, NOON.date())
    await run_next(module_accrual.database, reader)
    assert await named(client, first) == [carl, bert, anna]

    await module_accrual.members(erased(bert))
    second = await asked(client, draft, NOON.date())
    await run_next(module_accrual.database, reader)

    assert await named(client, first) == await named(client, second) == [carl, anna]
    report = await report_of(client, second)
    assert (report.members.winners.members, report.members.winners.net_points_difference) == (3, 60)
    async with module_accrual.database.transaction() as transaction:
        kept = await transaction.raw.fetch("select convert_from(report, 'UTF8') as report from backtests")
    assert not [row for row in kept if any(str(one) in row["report"] for one in members)]


async def test_no_more_wait_than_may_however_many_ask_at_once(
    client: httpx2.AsyncClient,
    module_accrual: Accrual,  # noqa: ARG001  what is asked for is about its rules
) -> None:
    draft = (await drafted(client, rules_document(2))).rpartition("/")[2]
    body = {"rule_set_id": draft, "from_date": f"{NOON.date()}", "until_date": f"{NOON.date()}"}

    answers = await asyncio.gather(*(client.post(PATH, json=body, headers=bearing()) for _ in range(QUEUED_MAX + 4)))

    assert Counter(answer.status_code for answer in answers) == {202: QUEUED_MAX, 409: 4}
