"""A worker may end at any statement of a batch, at its commit, and before its offsets: nothing is lost or doubled.

The batch has one of everything: purchases under caps and budgets, one whose card nobody knows, points that wait, a
duplicate, a conflict, a training receipt, returns, one of them before its purchase and one that names none, a void, a
sale that was paid ahead, and it counts towards tiers.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest

from services.accrual.use_cases.load_facts import MeetingRowsNeededError
from shared.database.engine import RawConnection
from shared.events.purchases import PurchaseEvent, PurchaseRecorded
from shared.ledger import Balances
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.accrual_tiers import now_of, publish
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import verified
from tests.support.receipts import (
    RULES,
    card,
    changed_rules,
    line,
    purchase,
    return_of,
    unlinked_return,
    void_of,
)

MONTH = {"kind": "calendar", "unit": "month", "zone": "store"}
CAMPAIGN = {
    "id": "always",
    "name": "Always",
    "from_date": "2020-01-01",
    "until_date": "2099-12-31",
    "zone": "programme",
    "budget": {"points_max": 1_000},
}
RULE_SET = changed_rules(
    returns={"unlinked": "claw_back"},
    counted={"prepayments": "at_payment"},
    campaigns=[CAMPAIGN],
    caps=[{"kind": "member", "points_max": 40, "window": MONTH}],
    rules=[
        *(rule.model_dump() for rule in RULES.rules),
        {
            "id": "gift",
            "name": "Gift",
            "campaign": "always",
            "pending_days": 14,
            "effect": {"kind": "fixed_points", "points": 3},
        },
        {
            "id": "status",
            "name": "Status",
            "effect": {"kind": "points_per_amount", "point_type": "status", "points": 1, "step_minor": 100},
            "pending": {"kind": "event", "event": "delivered", "days_max": 30, "at_last": "lapse"},
        },
    ],
)
# Everything that a batch writes, but for what differs from run to run: times, ids of rows and of events.
WRITTEN = (
    "select natural_key, state, owner_id from claims order by 1",
    "select natural_key, owner_id, points, taken_back from awards order by 1",
    "select natural_key, number, point_type, points, taken_back, state from award_parts order by 1, 2",
    "select natural_key, number, point_type, points, taken_back, waits_until, state from award_parts order by 1, 2",
    "select natural_key, original_key, points, became_debt from returns order by 1",
    "select natural_key, number, points, became_debt from return_parts order by 1, 2",
    "select natural_key, state, owner_id, points, became_debt from unlinked_returns order by 1",
    "select prepaid_key, natural_key from handovers order by 1, 2",
    "select natural_key, reason from parked order by 1",
    "select natural_key, content_hash, reason from refusals order by 1, 2",
    "select campaign_id, points_used, receipts_used from campaign_budgets order by 1",
    "select member_id, name, day, amount, receipts from counted_days order by 1, 2, 3",
    "select member_id, day, points, spend_minor, visits from tier_days order by 1, 2",
    "select owner_id, available, held, pending, debt from ledger_accounts order by 1",
    "select account_id, reference, debit, credit, points from ledger_transfers order by 1, 2, 3, 4",
    "select topic, convert_from(body, 'utf8')::jsonb ->> 'data' from outbox order by 1, 2",
)
STATEMENTS_MIN = 15
_numbers = count(1)


class KilledError(Exception):
    """The process is gone."""


class MortalConnection:
    """A connection whose process ends instead of sending statement number ``dies_at``."""

    def __init__(self, raw: RawConnection, dies_at: int) -> None:
        self._raw = raw
        self._left = dies_at

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._raw, name)
        if name not in {"execute", "executemany", "fetch", "fetchrow", "fetchval", "copy_records_to_table"}:
            return method

        async def send(*arguments: Any, **options: Any) -> Any:
            if self._left == 0:
                raise KilledError
            self._left -= 1
            return await method(*arguments, **options)

        return send


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULE_SET) as accrual:
        await publish(accrual)
        yield accrual


@pytest.fixture
async def anna(accrual: Accrual) -> UUID:
    return await joined(accrual)


async def written(accrual: Accrual) -> list[list[tuple[object, ...]]]:
    async with accrual.database.transaction() as transaction:
        return [[tuple(row) for row in await transaction.raw.fetch(statement)] for statement in WRITTEN]


async def one_of_everything(accrual: Accrual, anna: UUID) -> list[PurchaseEvent]:
    """What is worked out by hand in ``ANNAS``; what came before is awarded already."""
    now = await now_of(accrual)
    earlier, bought, produce, early = (_bought(anna, now, amount) for amount in (1_000, 2_000, 900, 500))
    ahead = purchase(next(_numbers), [line(1, 300, settlement="prepayment")], owner=anna, occurred_at=now)
    await accrual.award(earlier)  # 10, and 3 that wait
    return [
        bought,  # 20, and 3 that wait
        earlier,
        _other_contents(earlier),
        produce,  # 9 and 3, of which the cap of 40 a month leaves 4
        purchase(next(_numbers), 1_000, identifier_hash=card(next(_numbers)), occurred_at=now),
        purchase(next(_numbers), 1_000, owner=anna, occurred_at=now, is_training=True),
        return_of(bought, next(_numbers), {1: 500}),  # 10 of the 20 stay, and the gift
        return_of(early, next(_numbers), {1: 1_000}),  # waits
        void_of(produce, next(_numbers)),
        unlinked_return(next(_numbers), 700, owner=anna, occurred_at=now),  # 7, of whatever there is
        purchase(next(_numbers), 500, owner=anna, occurred_at=now, prepaid=[ahead]),  # 5, and 3 that wait
        ahead,  # 3 and 3, which are in the sale
    ]


ANNAS = Balances(available=10 + 20 + 4 - 10 - 4 - 7 + 5, pending=3 + 3 + 3)


async def test_a_worker_that_ends_at_any_statement_leaves_everything_as_it_was(
    accrual: Accrual, anna: UUID, module_database: FreshDatabase
) -> None:
    batch = await one_of_everything(accrual, anna)
    before = await written(accrual)

    dies_at = 0
    while not await survives(accrual, batch, dies_at):
        assert await written(accrual) == before, dies_at
        dies_at += 1

    assert dies_at > STATEMENTS_MIN
    assert await accrual.balance(anna) == ANNAS
    once = await written(accrual)
    await accrual.award(*batch)  # its offsets were not committed
    assert await written(accrual) == once
    assert (await verified(module_database)).findings == ()


async def test_a_connection_that_is_lost_at_the_commit_leaves_everything_as_it_was(
    accrual: Accrual, anna: UUID, module_database: FreshDatabase
) -> None:
    batch = await one_of_everything(accrual, anna)
    before = await written(accrual)
    meet_first = await meeting_rows(accrual, batch)

    async def lose_it_at_the_commit() -> None:
        async with accrual.database.transaction() as transaction:
            await accrual.award_in(transaction, batch, meet_first)
            await end_connection(module_database, transaction.raw.get_server_pid())

    with pytest.raises(Exception, match="connection"):
        await lose_it_at_the_commit()
    assert await written(accrual) == before

    await accrual.award(*batch)
    assert await accrual.balance(anna) == ANNAS


async def survives(accrual: Accrual, batch: Sequence[PurchaseEvent], dies_at: int) -> bool:
    """Award the batch in a process that ends before its statement number ``dies_at``; whether it came to its commit."""
    meet_first = await meeting_rows(accrual, batch)
    try:
        async with accrual.database.transaction() as transaction:
            raw = cast("RawConnection", MortalConnection(transaction.raw, dies_at))
            await accrual.award_in(replace(transaction, raw=raw), batch, meet_first)
    except KilledError:
        return False
    return True


async def meeting_rows(accrual: Accrual, batch: Sequence[PurchaseEvent]) -> frozenset[str]:
    """The rows in which the batch will meet what it lacks, found as the consumer finds them."""
    async with accrual.database.transaction() as transaction:
        try:
            await accrual.award_in(transaction, batch)
        except MeetingRowsNeededError as needed:
            found = needed.keys
        else:
            found = frozenset()
        await transaction.connection.rollback()
    return found


async def end_connection(database: FreshDatabase, pid: int) -> None:
    """The server ends it, as at a restart."""
    admin = await asyncpg.connect(database.admin_url)
    await admin.execute("select pg_terminate_backend($1, 5000)", pid)
    await admin.close()


def _bought(owner: UUID, now: datetime, amount_minor: int) -> PurchaseRecorded:
    return purchase(next(_numbers), [line(1, amount_minor)], owner=owner, occurred_at=now)


def _other_contents(event: PurchaseRecorded) -> PurchaseRecorded:
    return event.model_copy(update={"data": event.data.model_copy(update={"content_hash": "f" * 64})})
