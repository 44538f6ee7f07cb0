"""What a correction changed, as HTTP says it."""

import orjson

from services.accrual.repository.corrections import CorrectionRow
from services.accrual.schemas.receipts import CorrectionAnswer, RuleAnswer, StandAnswer
from shared.receipt_key import receipt_id_of


def correction_answer(row: CorrectionRow) -> CorrectionAnswer:
    """How the receipt stood before, and how after."""
    return CorrectionAnswer(
        receipt_id=receipt_id_of(row.natural_key),
        original_receipt_id=receipt_id_of(row.original_key),
        member_id=row.owner_id,
        reason=row.reason,
        occurred_at=row.occurred_at,
        decided_at=row.decided_at,
        before=_stand(row.total_minor_before, row.points_before, row.decision_before),
        after=_stand(row.total_minor_after, row.points_after, row.decision_after),
        points_moved=row.points_moved,
        became_debt=row.became_debt,
        clipped=row.clipped,
    )


def _stand(total_minor: int, points: int, decision: bytes) -> StandAnswer:
    applied = orjson.loads(decision)["applied"]
    rules = [RuleAnswer(rule_id=rule_id, points=given) for rule_id, given in applied]
    return StandAnswer(total_minor=total_minor, points=points, rules=rules)
