"""What a digest of earned points says: entries folded into one line a partner."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.point_types import POINTS, Unit

# A message names the version that it was opened with; a published version never changes.
TEMPLATE = "points_digest"
TEMPLATE_VERSION = 1

LINES_MAX = 20


@dataclass(frozen=True, slots=True)
class Award:
    """What one receipt earned, as a digest needs it. The receipt's natural key is the award's identity, with the number
    of its ``part`` where it earned on several terms.
    """

    receipt_key: bytes
    member_id: UUID
    partner_id: str
    points: int
    debt_cleared: int
    occurred_at: datetime
    traceparent: str | None
    part: int = 0


@dataclass(frozen=True, slots=True)
class PartnerTotal:
    """What one member earned at one partner within a digest. The name is the partner's id until its name is known."""

    partner_name: str
    receipts: int
    points: int
    debt_cleared: int


@dataclass(frozen=True, slots=True)
class PointsDigest:
    """All that the template may say. ``lines`` are sorted by points, highest first.

    Partners beyond ``LINES_MAX`` are counted in ``points`` and in ``other_points``, so that a mail stays short and its
    lines still add up.
    """

    lines: tuple[PartnerTotal, ...]
    other_points: int
    points: int
    debt_cleared: int
    receipts: int


def fold_digest(totals: Iterable[PartnerTotal]) -> PointsDigest:
    """One digest from the totals of its partners. The order in which they come does not matter."""
    ranked = sorted(totals, key=lambda total: (-total.points, total.partner_name))
    return PointsDigest(
        lines=tuple(ranked[:LINES_MAX]),
        other_points=sum(total.points for total in ranked[LINES_MAX:]),
        points=sum(total.points for total in ranked),
        debt_cleared=sum(total.debt_cleared for total in ranked),
        receipts=sum(total.receipts for total in ranked),
    )


def format_points(points: int, unit: Unit = POINTS) -> str:
    """Points for people: ``12,450``, or with their decimals."""
    return unit.amount(points)
