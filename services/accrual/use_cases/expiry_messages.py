"""What is told of points that lapse."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal
from uuid import UUID

from services.accrual.use_cases.messages import balance_of, message_of_member
from shared.database import Transaction
from shared.events.balances import IssuerPoints
from shared.events.expiry import ExpiredData, ExpiringData, PointsExpired, PointsExpiring
from shared.ledger import Balances, FundedPoints
from shared.ledger.due_lots import ExpiringPoints
from shared.ledger.telling import funded_told
from shared.outbox import Message


def expired_message(
    transaction: Transaction,
    owner_id: UUID,
    point_type: str,
    expires_on: date,
    by_issuer: Mapping[str, int],
    funded: Sequence[FundedPoints],
    balance: Balances,
    because: Literal["inactivity"] | None = None,
) -> Message:
    """Points of one member lapsed; ``because``: before their own day."""
    data = ExpiredData(
        member_id=owner_id,
        point_type=point_type,
        points=sum(by_issuer.values()),
        expires_on=expires_on,
        by_issuer=tuple(IssuerPoints(issuer=issuer, points=part) for issuer, part in sorted(by_issuer.items())),
        balance=balance_of(balance),
        by_funding=funded_told(funded),
        because=because,
    )
    return message_of_member(transaction, PointsExpired, owner_id, data)


def expiring_message(transaction: Transaction, points: ExpiringPoints, expires_on: date, days: int) -> Message:
    """Points of one member will lapse."""
    data = ExpiringData(
        member_id=points.owner_id,
        point_type=points.point_type,
        points=points.points,
        expires_on=expires_on,
        days=days,
    )
    return message_of_member(transaction, PointsExpiring, points.owner_id, data)
