"""What is told of points that people gave and took."""

from collections.abc import Sequence

from services.accrual.domain.adjustments import Adjustment
from services.accrual.domain.reinstatement import TakenLot
from services.accrual.use_cases.messages import balance_of, message_of_member
from shared.database import Transaction
from shared.events.adjustments import (
    AdjustmentData,
    DebtWrittenOff,
    PointsAdjusted,
    PointsReinstated,
    ReinstatementData,
    WriteOffData,
)
from shared.events.balances import IssuerPoints
from shared.ledger import Posted
from shared.outbox import Message


def adjusted_or_forgiven_message(transaction: Transaction, adjustment: Adjustment, posted: Posted) -> Message:
    """What is told of an adjustment that the ledger has posted as one."""
    if adjustment.act == "write_off":
        return written_off_message(transaction, adjustment, posted)
    return adjusted_message(transaction, adjustment, posted)


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


def written_off_message(transaction: Transaction, adjustment: Adjustment, posted: Posted) -> Message:
    """Debt was forgiven: whoever had waited for it is paid by nobody."""
    owner_id = posted.command.owner_id
    data = WriteOffData(
        member_id=owner_id,
        adjustment_id=adjustment.adjustment_id,
        point_type=adjustment.point_type,
        points=posted.points,
        shortfall=posted.shortfall,
        reason_code=adjustment.reason_code,
        kind=adjustment.kind,
        by_issuer=tuple(IssuerPoints(issuer=issuer, points=part) for issuer, part in posted.issuers),
        balance=balance_of(posted.balance),
    )
    return message_of_member(transaction, DebtWrittenOff, owner_id, data)


def reinstated_message(
    transaction: Transaction, adjustment: Adjustment, taken: Sequence[TakenLot], posted: Sequence[Posted]
) -> Message:
    """Points that had lapsed were given back, of whichever lots: once for all of them."""
    owner_id, by_issuer = posted[-1].command.owner_id, dict[str, int]()
    for lot, part in taken:
        by_issuer[lot.terms.issuer] = by_issuer.get(lot.terms.issuer, 0) + part
    data = ReinstatementData(
        member_id=owner_id,
        adjustment_id=adjustment.adjustment_id,
        point_type=adjustment.point_type,
        points=adjustment.posted_points,
        debt_cleared=sum(each.debt_cleared for each in posted),
        reason_code=adjustment.reason_code,
        kind=adjustment.kind,
        expires_on=adjustment.expires_on,
        by_issuer=tuple(IssuerPoints(issuer=issuer, points=part) for issuer, part in sorted(by_issuer.items())),
        balance=balance_of(posted[-1].balance),
    )
    return message_of_member(transaction, PointsReinstated, owner_id, data)
