"""A redemption: points reserved for one checkout, and what became of them.

Its row is where everything that concerns it meets, keyed by the redemption id: the hold, the capture over HTTP, the
receipt that names it, the void and the expiry may come in any order.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID


class State(StrEnum):
    """Where a redemption stands.

    ``AWAITED``: somebody named the id, but nothing was reserved or taken (its receipt waits for a member).
    ``DECLINED``: the hold was refused; the same id may be tried again.
    """

    AWAITED = "awaited"
    HELD = "held"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Redemption:
    """All points are whole numbers of the point type's smallest unit.

    ``open_points`` are still reserved, and positive exactly while the state is ``HELD``. ``captured_points`` were
    taken, from the hold or late; ``uncovered_points`` are what receipts took that the balance could not give: the
    partner's loss. ``session_id`` is the till conversation of the QR token that the points were reserved with; a
    conversation has at most one redemption.
    """

    redemption_id: UUID
    point_type: str
    state: State = State.AWAITED
    partner_id: str | None = None
    member_id: UUID | None = None
    held_points: int = 0
    open_points: int = 0
    captured_points: int = 0
    uncovered_points: int = 0
    held_at: datetime | None = None
    expires_at: datetime | None = None
    closed_at: datetime | None = None
    session_id: UUID | None = None


CaptureSource = Literal["http", "event"]


@dataclass(frozen=True, slots=True)
class Capture:
    """What one receipt took of one redemption; there is at most one for the two keys, for ever.

    ``points`` = from the hold + ``late_points``. ``open_before`` is what was reserved just before, which is what a
    capture without an amount asked for. ``content_hash`` names the document that took it, None over HTTP.
    """

    redemption_id: UUID
    receipt_key: bytes
    points: int
    late_points: int
    uncovered_points: int
    released_points: int
    open_before: int
    source: CaptureSource
    content_hash: str | None

    @property
    def is_late(self) -> bool:
        """Whether some of it had not been reserved."""
        return self.late_points > 0 or self.uncovered_points > 0

    @property
    def asked_points(self) -> int:
        """What the receipt said that it took, covered or not."""
        return self.points + self.uncovered_points
