"""Receipts that are moved to another member, over HTTP and by hand, short to write."""

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import httpx2

from services.accrual.domain.adjustments import DEFAULT_REASONS, AdjustmentRules
from services.accrual.domain.receipt_moves import ReceiptMove
from services.accrual.domain.rules import RuleSet
from services.accrual.programme import MoveRules
from services.accrual.use_cases.move_receipt import request_move
from shared.database import Transaction
from shared.events.points import MoveData, ReceiptMoved
from shared.events.purchases import PurchaseRecorded
from shared.ids import new_id
from shared.receipt_key import natural_key_of
from tests.support.accrual import PROGRAMME, Accrual
from tests.support.accrual_tiers import kept_rows
from tests.support.adjusting import BOSS, SUPPORT, Client
from tests.support.interleaving import Work
from tests.support.receipts import NOON, purchase
from tests.support.registries import bearing

DAY = {"kind": "calendar", "unit": "day", "zone": "store"}


def with_coupon(rule_id: str, effect: dict[str, Any], *also: dict[str, Any], **more: Any) -> dict[str, Any]:
    has_coupon = {"kind": "coupon", "codes": [rule_id.upper()]}
    when = {"kind": "all", "of": [has_coupon, *also]}
    return {"id": rule_id, "name": rule_id, "condition": {"when": when}, "effect": effect} | more


RULE_SET = RuleSet.model_validate(
    {
        "version": 1,
        "effective_from": datetime(2020, 1, 1, tzinfo=UTC),
        "campaigns": [
            {
                "id": "autumn",
                "name": "Autumn",
                "from_date": "2026-10-01",
                "until_date": "2026-12-31",
                "zone": "programme",
                "budget": {"points_max": 70},
            }
        ],
        "rules": [
            {
                "id": "dollar",
                "name": "A point a dollar",
                "effect": {"kind": "points_per_amount", "points": 1, "step_minor": 100},
                "caps": [{"kind": "member", "points_max": 20_000, "window": DAY}],
            },
            with_coupon("autumn", {"kind": "fixed_points", "points": 40}, campaign="autumn"),
            with_coupon(
                "new",
                {"kind": "fixed_points", "points": 5},
                {"kind": "enrolled", "at_most_days": 30, "zone": "store"},
            ),
            with_coupon(
                "second",
                {"kind": "fixed_points", "points": 30},
                {
                    "kind": "nth",
                    "nth": 2,
                    "counted": "visits",
                    "window": {"kind": "calendar", "unit": "year", "zone": "store"},
                },
            ),
            with_coupon(
                "status", {"kind": "points_per_amount", "point_type": "status", "points": 2, "step_minor": 100}
            ),
            with_coupon("later", {"kind": "fixed_points", "points": 7}, pending={"kind": "days", "days": 365}),
        ],
    }
)
# From the second of November on what is spent is left to the issuer; from the third on nothing is taken then.
CLIPS_THEN_REFUSES = [
    RuleSet.model_validate(
        RULE_SET.model_dump()
        | {
            "version": version,
            "effective_from": datetime(2026, 11, version, tzinfo=UTC),
            "returns": {"claw_back": policy},
        }
    )
    for version, policy in ((2, "clip"), (3, "refuse"))
]
numbers = count(1)


async def bought(
    accrual: Accrual, owner: UUID, dollars: int, *coupons: str, at: datetime = NOON, **said: Any
) -> PurchaseRecorded:
    """A purchase that was awarded."""
    event = purchase(next(numbers), dollars * 100, owner=owner, occurred_at=at, **said)
    event = event.model_copy(update={"data": event.data.model_copy(update={"coupons": coupons})})
    await accrual.award(event)
    return event


async def move(
    client: Client,
    receipt: PurchaseRecorded | str,
    from_id: UUID,
    to_id: UUID,
    *,
    by: str = "",
    key: str | None = None,
    **said: Any,
) -> httpx2.Response:
    """Asks for a move; ``by`` somebody new unless it says whom."""
    receipt_id = receipt if isinstance(receipt, str) else receipt.data.receipt_id
    body = {"from_member_id": str(from_id), "to_member_id": str(to_id), "reason_code": "wrong_card"} | said
    headers = bearing("receipt-moves:write", client_id=by or uuid4().hex)
    headers |= {"Idempotency-Key": key} if key else {}
    return await client.post(f"/v1/receipts/{receipt_id}:move", json=body, headers=headers)


async def decide(client: Client, move_id: str, what: str = "approve", by: str = BOSS) -> httpx2.Response:
    """Approves or refuses."""
    return await client.post(
        f"/v1/receipt-moves/{move_id}/{what}", headers=bearing("receipt-moves:approve", client_id=by)
    )


async def told(accrual: Accrual) -> list[MoveData]:
    """Of both sides: they travel under two members, and may come in either order."""
    moves = [event.data for event in await accrual.drain() if isinstance(event, ReceiptMoved)]
    return sorted(moves, key=lambda each: each.direction)


async def counted(accrual: Accrual, owner: UUID) -> dict[tuple[str, date], tuple[int, int]]:
    """What is counted of a member, but for what people moved of it."""
    rows = [row for row in await kept_rows(accrual, "counted_days") if row["member_id"] == owner]
    named = [row for row in rows if row["name"] != "moved_alone"]
    return {(row["name"], row["day"]): (row["amount"], row["receipts"]) for row in named}


def moving(accrual: Accrual, receipt: PurchaseRecorded, from_id: UUID, to_id: UUID) -> Work:
    """The same by hand, in a transaction that the test commits."""
    limits = AdjustmentRules.of(DEFAULT_REASONS, 10_000, 100_000).alone
    rules = MoveRules(PROGRAMME, accrual.rules, timedelta(days=14), frozenset({"wrong_card"}), limits)
    key = natural_key_of(receipt.data.receipt_id)

    async def work(transaction: Transaction) -> None:
        wanted = ReceiptMove(new_id(), key, from_id, to_id, "wrong_card", SUPPORT, transaction.now)
        await request_move(transaction, wanted, rules)

    return work
