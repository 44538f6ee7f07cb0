"""A card that nobody registers: what waits for it goes in time, and its hash with it."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.accrual.repository.retention import MEETING_ROWS, parked_with_hash
from shared.database import Database
from shared.runtime.retention import Retention
from tests.support.accrual import Accrual
from tests.support.databases import FreshDatabase
from tests.support.receipts import card, enrolled, linked, member, purchase
from tests.support.traces import spellings, traces_in_tables

ANNA = member(1)
CARD = card(1)
WINDOW_DAYS = 30
PARKED = parked_with_hash(WINDOW_DAYS)


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> Accrual:
    accrual = Accrual(database_of("accrual"))
    await accrual.begin()
    await accrual.members(enrolled(ANNA))
    return accrual


async def pass_days(accrual: Accrual, days: int) -> None:
    """Let what stands there be older by so many days, then let go what is too old."""
    async with accrual.database.transaction() as transaction:
        for table, column in (("parked", "parked_at"), ("meeting_rows", "laid_at")):
            await transaction.raw.execute(
                f"update {table} set {column} = {column} - $1::interval", timedelta(days=days)
            )
    retention = Retention(accrual.database, [MEETING_ROWS, PARKED])
    await retention.declare()
    await retention.run()


async def test_its_hash_is_gone_and_a_receipt_that_comes_after_waits_anew(
    accrual: Accrual, fresh_database: FreshDatabase
) -> None:
    await accrual.award(purchase(1, 1000, identifier_hash=CARD))

    await pass_days(accrual, PARKED.keep_days + 1)

    assert await traces_in_tables(fresh_database.admin_url, spellings([CARD])) == []
    await accrual.award(purchase(2, 1000, identifier_hash=CARD))
    await accrual.members(linked(ANNA, CARD))
    assert [event.data.receipt_id for event in await accrual.released()] == [purchase(2, 1000).data.receipt_id]


async def test_what_may_still_earn_waits_on_without_its_meeting_row(accrual: Accrual) -> None:
    await accrual.award(purchase(1, 1000, identifier_hash=CARD))

    await pass_days(accrual, WINDOW_DAYS)
    await accrual.members(linked(ANNA, CARD))

    (released,) = await accrual.released()
    assert released.data.member_id == ANNA


def test_it_is_kept_for_longer_than_it_may_earn_and_its_topic_keeps_it() -> None:
    for window_days in (1, 30, 400):
        assert parked_with_hash(window_days).keep_days >= parked_with_hash(window_days).keep_days_min
        assert parked_with_hash(window_days).keep_days_min > max(window_days, 30)
