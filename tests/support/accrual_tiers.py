"""Accrual with tiers, on a real database: schemes are published by hand, and time is moved by the clock's offset."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg

from services.accrual.domain.tiers.scheme import TierScheme
from services.accrual.repository import tier_schemes
from services.accrual.use_cases.grade_due_tiers import grade_due_tiers
from services.accrual.use_cases.read_tier import ShownTier, read_tier
from shared.events.tiers import TierChanged, TierData
from tests.support.accrual import Accrual
from tests.support.databases import FreshDatabase
from tests.support.tiers import scheme


async def publish(accrual: Accrual, published: TierScheme | None = None) -> None:
    """A scheme that this worker knows at once; without one: silver from 100 points, gold from 500, in a year."""
    async with accrual.database.transaction() as transaction:
        await tier_schemes.save(transaction, published or scheme(), "test")
        await accrual.rules.refresh(transaction)


async def advance(database: FreshDatabase, step: timedelta) -> None:
    """Move business time on."""
    admin = await asyncpg.connect(database.admin_url)
    try:
        await admin.execute(
            "insert into platform.business_clock (clock_offset) values ($1)"
            " on conflict (singleton) do update set clock_offset = business_clock.clock_offset + $1",
            step,
        )
    finally:
        await admin.close()


async def now_of(accrual: Accrual) -> datetime:
    """Business time."""
    async with accrual.database.transaction() as transaction:
        return transaction.now


async def grade_all(accrual: Accrual) -> int:
    """What the timer does: page after page until nobody is due; how many were graded."""
    graded = 0
    while page := await accrual.database.run(partial(grade_due_tiers, schemes=accrual.rules.tiers.history)):
        graded += page
    return graded


async def shown(accrual: Accrual, member_id: UUID) -> ShownTier:
    """A member's tier as of now."""
    async with accrual.database.transaction() as transaction:
        found = await read_tier(transaction, member_id, accrual.rules.tiers.history)
    assert found is not None
    return found


async def tier_of(accrual: Accrual, member_id: UUID) -> str:
    """The code of a member's tier."""
    return (await shown(accrual, member_id)).tier.code


async def tier_changes(accrual: Accrual) -> list[TierData]:
    """What was told of tiers since the outbox was looked at last."""
    return [event.data for event in await accrual.drain() if isinstance(event, TierChanged)]


async def kept_rows(accrual: Accrual, table: str) -> list[Mapping[str, Any]]:
    """All rows of a table."""
    async with accrual.database.transaction() as transaction:
        return [dict(row) for row in await transaction.raw.fetch(f"select * from {table} order by 1, 2")]
