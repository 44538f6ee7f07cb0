"""A redemption: points reserved for one checkout, and what became of them.

Its row is where everything that concerns it meets, keyed by the redemption id: the hold, the capture over HTTP, the
receipt that names it, the void and the expiry may come in any order.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal, Self
from uuid import UUID

from shared.ledger import Basket, LimitedPoints


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
class Share:
    """What a redemption reserves of another member of its member's household, under a ledger's hold of its own."""

    owner_id: UUID
    hold_id: UUID
    held_points: int
    open_points: int
    captured_points: int = 0

    def taken(self, points: int, *, keeps_rest: bool) -> Self:
        """The share once a receipt took ``points`` of it."""
        left = self.open_points - points if keeps_rest else 0
        return replace(self, open_points=left, captured_points=self.captured_points + points)

    def let_go(self) -> Self:
        """The share with nothing reserved any more."""
        return replace(self, open_points=0)


@dataclass(frozen=True, slots=True)
class Redemption:
    """All points are whole numbers of the point type's smallest unit.

    ``open_points`` are still reserved, and positive exactly while the state is ``HELD``. ``captured_points`` were
    taken, from the hold or late; ``uncovered_points`` are what receipts took that the balance could not give: the
    partner's loss. ``session_id`` is the till conversation that the points were reserved in: a QR token's, which has at
    most one redemption (``is_session_shown``), or one that a checkout has opened. ``shares`` are parts of held, open
    and captured points that are others'; the rest is the member's own. ``value_minor`` is what ``held_points`` pay,
    where a quote has priced them, and ``quote_id`` that quote.
    ``let_go_points``, of those held, went back while others stayed reserved. ``is_taken_in_parts``: receipts take their
    parts and leave the rest reserved; else the first one ends the hold.
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
    is_session_shown: bool = False
    shares: tuple[Share, ...] = ()
    value_minor: int | None = None
    let_go_points: int = 0
    is_taken_in_parts: bool = False
    quote_id: UUID | None = None

    @property
    def pooled_points(self) -> int:
        """What was reserved of others."""
        return sum(share.held_points for share in self.shares)

    @property
    def own_held_points(self) -> int:
        """What was reserved of the member's own."""
        return self.held_points - self.pooled_points

    @property
    def own_open_points(self) -> int:
        """What is still reserved of the member's own."""
        return self.open_points - sum(share.open_points for share in self.shares)


CaptureSource = Literal["http", "event"]

# What had become of the hold of a receipt that took points late: it never came, was refused, let go or expired, had
# been taken by another receipt, or reserved less.
LateReason = Literal["hold_missing", "hold_declined", "hold_voided", "hold_expired", "hold_captured", "hold_smaller"]

_LATE_REASONS: dict[State, LateReason] = {
    State.AWAITED: "hold_missing",
    State.DECLINED: "hold_declined",
    State.VOIDED: "hold_voided",
    State.EXPIRED: "hold_expired",
    State.CAPTURED: "hold_captured",
    State.HELD: "hold_smaller",
}


def late_reason(before: State) -> LateReason:
    """Why a redemption that stood so did not cover what a receipt took."""
    return _LATE_REASONS[before]


@dataclass(frozen=True, slots=True)
class Capture:
    """What one receipt took of one redemption; there is at most one for the two keys, for ever.

    ``points`` = from the hold + ``late_points`` + ``debt_points``. ``open_before`` is what was reserved just before,
    which is what a capture without an amount asked for. ``content_hash`` names the document that took it, None over
    HTTP. Of ``points``, ``refunded_points`` were given back since. ``settled_points`` is what returns have settled:
    given back, or paid out in money instead; ``moved_points`` pay for goods of exchanges by now. ``limited`` is what of
    those from the hold is for some things alone: those for which it was reserved, as the till had said.
    ``late_because`` says why it was late; None where it was not, or was before that was kept. ``let_go_before`` is what
    had gone back of the hold by then. ``debt_points``, of ``points``, were not there, and the member owes them.
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
    refunded_points: int = 0
    limited: tuple[LimitedPoints, ...] = ()
    late_because: LateReason | None = None
    let_go_before: int = 0
    debt_points: int = 0
    settled_points: int = 0
    moved_points: int = 0

    @property
    def gone_points(self) -> int:
        """What went back, or was paid out in money instead."""
        return max(self.refunded_points, self.settled_points)

    @property
    def left_points(self) -> int:
        """What neither went back nor was paid out instead, and pays for what this receipt sold."""
        return max(0, self.points - self.gone_points - self.moved_points)

    def settling(self, points: int) -> "Capture":
        """The capture once so many more are settled, in points or in money; what went back itself is counted by who
        gives it."""
        return replace(self, settled_points=self.gone_points + points)

    @property
    def is_late(self) -> bool:
        """Whether some of it had not been reserved."""
        return self.late_points > 0 or self.uncovered_points > 0 or self.debt_points > 0

    @property
    def held_points(self) -> int:
        """What of ``points`` had been reserved."""
        return self.points - self.late_points - self.debt_points

    def points_not_for(self, *baskets: Basket) -> int:
        """How many of ``points`` none of these baskets may use."""
        return sum(part for limits, part in self.limited if not any(limits.admit(basket) for basket in baskets))

    @property
    def asked_points(self) -> int:
        """What the receipt said that it took, covered or not."""
        return self.points + self.uncovered_points
