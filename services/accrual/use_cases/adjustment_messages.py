"""What is told of points that people gave and took."""

from services.accrual.domain.adjustments import Adjustment
from services.accrual.use_cases.messages import balance_of, message_of_member
from shared.database import Transaction
from shared.events.points import AdjustmentData, PointsAdjusted
from shared.ledger import Posted
from shared.outbox import Message


def adjusted_message(transaction: Transaction, adjustment: Adjustment, posted: Posted) -> Message:
    """Points were given or taken: by which reason, and never by whom or with what words."""
    owner_id = posted.command.owner_id
    data = AdjustmentData(
        member_id=owner_id,
        adjustment_id=adjustment.adjustment_id,
        point_type=adjustment.point_type,
        points=adjustment.posted_points,
        shortfall=posted.shortfall,
        debt_cleared=posted.debt_cleared,
        reason_code=adjustment.reason_code,
        kind=adjustment.kind,
        expires_on=adjustment.expires_on,
        file_id=adjustment.file_id,
        balance=balance_of(posted.balance),
    )
    return message_of_member(transaction, PointsAdjusted, owner_id, data)
