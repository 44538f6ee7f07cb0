"""Rules whose points are of several types and terms, and what members have by type."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.accrual.domain.rules import RuleSet
from services.accrual.repository.fraud_holds import FraudHold
from services.accrual.use_cases.apply_fraud_holds import apply_fraud_holds, hold_of
from shared.events.fraud import PointsHoldData, PointsHoldReleased, PointsHoldRequested, PointsReleaseData
from shared.events.purchases import PurchaseRecorded
from shared.ids import new_id
from shared.ledger import Balances, load_balances
from tests.support.accrual import Accrual
from tests.support.receipts import NOON

STATUS = {"kind": "points_per_amount", "point_type": "status", "points": 2, "step_minor": 100}


def rule(rule_id: str, effect: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A rule of a point a dollar, unless an effect says something else."""
    return {
        "id": rule_id,
        "name": rule_id,
        "effect": effect or {"kind": "points_per_amount", "points": 1, "step_minor": 100},
    } | more


def rule_set(*rules: dict[str, Any], **more: Any) -> RuleSet:
    """A version that has been in force for long."""
    document = {"version": 1, "effective_from": datetime(2020, 1, 1, tzinfo=UTC), "rules": rules}
    return RuleSet.model_validate(document | more)


async def balances(accrual: Accrual, owner: UUID, point_type: str = "points") -> Balances:
    """What a member has of one type."""
    async with accrual.database.transaction() as transaction:
        return (await load_balances(transaction, [owner], point_type))[owner]


async def hold(accrual: Accrual, bought: PurchaseRecorded, version: int = 1) -> None:
    """Fraud asks for a hold on an award."""
    await _apply(accrual, hold_decision(bought, version))


def hold_decision(bought: PurchaseRecorded, version: int = 1) -> FraudHold:
    """That hold, as a use case takes it."""
    data = PointsHoldData(
        member_id=bought.data.member_id or new_id(),
        receipt_id=bought.data.receipt_id,
        version=version,
        rule_code="INS_SWIPE",
        case_id=new_id(),
        ends_at=datetime(2099, 1, 1, tzinfo=UTC),
    )
    return hold_of(PointsHoldRequested(id=new_id(), source="test", subject="x", time=NOON, data=data))


async def release(accrual: Accrual, bought: PurchaseRecorded, version: int = 2) -> None:
    """Fraud lets an award go."""
    data = PointsReleaseData(
        member_id=bought.data.member_id or new_id(),
        receipt_id=bought.data.receipt_id,
        version=version,
        case_id=new_id(),
        reason="cleared",
    )
    event = PointsHoldReleased(id=new_id(), source="test", subject="x", time=NOON, data=data)
    await _apply(accrual, hold_of(event))


async def _apply(accrual: Accrual, decision: FraudHold) -> None:
    async with accrual.database.transaction() as transaction:
        await apply_fraud_holds(transaction, [decision])
