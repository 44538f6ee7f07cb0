"""Business time moves ahead by a command, never back, with room for what is written then."""

from collections.abc import Callable
from datetime import timedelta

import asyncpg
import pytest

from shared.database import Database
from shared.database.moved_clock import advance_clock, read_clock
from tests.support.databases import FreshDatabase


async def test_business_time_moves_ahead_and_months_are_made_before(
    fresh_database: FreshDatabase, database_of: Callable[[str], Database]
) -> None:
    admin = await asyncpg.connect(fresh_database.admin_url)
    try:
        assert (await read_clock(admin)).ahead == timedelta(0)
        await advance_clock(admin, timedelta(days=200))
        moved = await advance_clock(admin, timedelta(days=200))
        assert moved.ahead == timedelta(days=400)
        for nothing in (timedelta(0), timedelta(seconds=-1)):
            with pytest.raises(ValueError, match="ahead only"):
                await advance_clock(admin, nothing)
        async with database_of("accrual").transaction() as transaction:
            assert transaction.now >= moved.now
        month = f"ledger.ledger_transfers_{moved.now:%Y_%m}"
        assert await admin.fetchval("select to_regclass($1) is not null", month)
    finally:
        await admin.close()
