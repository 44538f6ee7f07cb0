"""A worker may end at any statement of a batch, at its commit, and before its offsets: nothing is lost, nothing doubled.

The batch has one of everything: purchases under caps and budgets, one whose card nobody knows, a duplicate, a conflict,
a training receipt, returns, one of them before its purchase, and it counts towards tiers.
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
from shared.database import Database, Transaction
from shared.database.engine import RawConnection
from shared.database.roles import role_name
from shared.events.purchases import PurchaseRecorded, ReturnRecorded
from shared.ledger import Balances
from tests.support.accrual import Accrual
from tests.support.accrual_tiers import now_of, publish
from tests.support.adjusting import new_member
from tests.support.databases import FreshDatabase
from tests.support.ledger_database import verified
from tests.support.receipts import RULES, card, changed_rules, enrolled, line, purchase, return_of

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
    campaigns=[CAMPAIGN],
    caps=[{"kind": "member", "points_max": 40, "window": MONTH}],
    rules=[
        *(rule.model_dump() for rule in RULES.rules),
        {"id": "gift", "name": "Gift", "campaign": "always", "effect": {"kind": "fixed_points", "points": 3}},
    ],
)
# Everything that a batch writes, but for what differs from run to run: times, ids of rows and of events.
WRITTEN = (
    "select natural_key, state, owner_id from claims order by 1",
    "select natural_key, owner_id, points, taken_back from awards order by 1",
    "select natural_key, original_key, points, became_debt from returns order by 1",
    "select natural_key, reason from parked order by 1",
    "select natural_key, content_hash, reason from refusals order by 1, 2",
    "select campaign_id, points, receipts from campaign_budgets order by 1",
    "select member_id, name, day, points, receipts, spend_minor from counted_days order by 1, 2, 3",
    "select member_id, day, points, spend_minor, visits from tier_days order by 1, 2",
    "select owner_id, available, held, pending, debt from ledger.ledger_accounts order by 1",
    "select reference, debit, credit, points from ledger.ledger_transfers order by 1, 2, 3, 4",
    "select topic, convert_from(body, 'utf8')::jsonb -> 'data' from outbox order by 1, 2",
)
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
