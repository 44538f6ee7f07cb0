"""Moves that wait for a second person: whose days they count on, and what is told of one that comes too late."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.accrual_tiers import advance, publish, tier_changes
from tests.support.adjusting import SUPPORT, Client, adjust, asked, slug
from tests.support.databases import FreshDatabase
from tests.support.earning_in_parts import rule, rule_set
from tests.support.receipt_moves import bought, decide, move
from tests.support.receipts import NOON

OF_SILVER = {"when": {"kind": "tier", "tiers": ["silver"]}}
RULES = rule_set(
    rule("dollar"),
    rule("silver", {"kind": "fixed_points", "points": 5}, condition=OF_SILVER),
    expiry={"kind": "rolling", "days": 300},
)


@pytest.fixture(scope="module")
async def module_accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULES, zone=ZoneInfo("America/New_York")) as accrual:
        await publish(accrual)
        yield accrual


async def test_nobody_loses_by_many_moves_of_many_people_what_one_would_need_a_second_person_for(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    receipts = [await bought(module_accrual, anna, 8_000, at=NOON + timedelta(hours=hour)) for hour in range(3)]
    others = [await joined(module_accrual) for _ in receipts]

    moves = [await move(client, receipt, anna, other) for receipt, other in zip(receipts, others, strict=True)]
    given = await adjust(client, asked(anna, 4_000), by=SUPPORT)
    taken = await adjust(client, asked(anna, -4_001), by=SUPPORT)

    assert [each.json()["state"] for each in (*moves, given, taken)] == ["moved"] * 2 + ["waiting", "posted", "waiting"]


async def test_a_tier_that_time_took_is_told_though_the_points_have_expired(
    client: Client, module_accrual: Accrual, module_database: FreshDatabase, anna: UUID
) -> None:
    bert = await joined(module_accrual)
    await bought(module_accrual, bert, 150)
    receipt = await bought(module_accrual, anna, 10_001)
    waiting = (await move(client, receipt, anna, bert, by=SUPPORT)).json()
    await module_accrual.drain()
    await advance(module_database, timedelta(days=800))

    assert slug(await decide(client, waiting["move_id"])) == (409, "points-expired")

    told = await tier_changes(module_accrual)
    assert [(each.member_id, each.old_tier, each.new_tier) for each in told] == [(bert, "silver", "basic")]
