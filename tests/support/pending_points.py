"""Points that wait: the rules, the receipts, and what is seen of them while business time moves."""

from datetime import date, time
from itertools import count
from typing import Any
from uuid import UUID

import httpx2

from services.accrual.use_cases.pass_releases import ReleasePasses
from shared.events.points import PointsClawedBack, PointsEarned, PointsLapsed, PointsPending, PointsReleased
from shared.events.purchases import PurchaseLine, PurchaseRecorded
from shared.kafka.batch_size import BatchSize
from tests.support.accrual import Accrual
from tests.support.adjusting import Client
from tests.support.earning_in_parts import STATUS, rule, rule_set
from tests.support.moving_clock import MovingClock
from tests.support.receipts import purchase
from tests.support.registries import bearing

DELIVERED = {"kind": "event", "event": "delivered", "days_max": 3}
RULES = rule_set(
    rule("base"),
    rule("status", STATUS, condition={"categories": ["WAITS"]}, pending_days=2),
    rule("waits", condition={"categories": ["WAITS"]}, apply_in="fixed", pending_days=2, expires_after_days=1),
    rule("lapses", condition={"categories": ["ORDER"]}, apply_in="fixed", pending=DELIVERED | {"at_last": "lapse"}),
    rule("comes", condition={"categories": ["GIFT"]}, apply_in="fixed", pending=DELIVERED | {"at_last": "release"}),
    expires_after_days=10,
    expiry_counts_from="release",
)
LATE = time(23, 59, 58)
numbers = count(1)


async def bought(clock: MovingClock, owner: UUID, *lines: PurchaseLine, partner_id: str = "grocer") -> PurchaseRecorded:
    """A receipt of now."""
    now = await clock.now()
    event = purchase(next(numbers), lines, owner=owner, occurred_at=now, partner_id=partner_id)
    return event.model_copy(update={"data": event.data.model_copy(update={"received_at": now})})


async def run_releases(accrual: Accrual, parts: int = 100) -> None:
    """One pass of a worker."""
    await ReleasePasses(accrual.database, BatchSize(parts), accrual.rules.tiers).run()


async def told(accrual: Accrual) -> list[tuple[Any, ...]]:
    """What was published: kind, type, points, what may be spent then."""
    kinds = PointsEarned | PointsPending | PointsReleased | PointsLapsed | PointsClawedBack
    return [
        (type(event).__name__, event.data.point_type, event.data.points, event.data.balance.available)
        for event in await accrual.drain()
        if isinstance(event, kinds)
    ]


async def tell(
    client: Client, receipt: PurchaseRecorded, event: str = "delivered", partner_id: str | None = "grocer"
) -> httpx2.Response:
    """A partner's system tells that something has come."""
    headers = bearing("receipts:release", client_id="shop", partner_id=partner_id)
    return await client.post(f"/v1/receipts/{receipt.data.receipt_id}:release", json={"event": event}, headers=headers)


async def result(client: Client, receipt: PurchaseRecorded, event: str = "delivered") -> str:
    """What came of it, in a word."""
    answer = await tell(client, receipt, event)
    assert answer.status_code == 200, answer.text
    said: str = answer.json()["result"]
    return said


async def lots(accrual: Accrual, owner: UUID) -> list[tuple[str, int, bool, date, date | None]]:
    """Type, points, whether they wait, and the lot's days."""
    async with accrual.database.transaction() as transaction:
        rows = await transaction.raw.fetch(
            "select point_type, remaining, award is not null, available_from, expires_on"
            " from ledger_lots join ledger_accounts using (account_id)"
            " where owner_id = $1 and remaining > 0 order by point_type, lot_key",
            owner,
        )
    return [tuple(row) for row in rows]
