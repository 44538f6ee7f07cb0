"""What a capture takes: over HTTP, where it is a request, and from a receipt, where it is a fact.

A capture is keyed by (redemption, receipt). Whichever of the two ways comes first takes the points; the other one
finds the capture and changes nothing, and where the two name different amounts, a person is told.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.redemption.domain.errors import ExceedsHoldError, HoldNotOpenError
from services.redemption.domain.pooling import drawn
from services.redemption.domain.redemption import Capture, CaptureSource, Redemption, State, late_reason
from services.redemption.domain.tender import PointsTender


@dataclass(frozen=True, slots=True)
class Take:
    """Take ``from_hold`` of what is reserved, and ``from_available`` late, as far as the member's own balance goes.

    What stays reserved is let go, unless ``keep_rest``.
    """

    redemption: Redemption
    member_id: UUID
    partner_id: str
    receipt_key: bytes
    from_hold: int
    from_available: int
    keep_rest: bool
    source: CaptureSource
    content_hash: str | None

    @property
    def parts(self) -> tuple[int, ...]:
        """What of ``from_hold`` is the member's own, and of each share: own first."""
        shares = self.redemption.shares
        return drawn(self.from_hold, [self.redemption.own_open_points, *(share.open_points for share in shares)])

    @property
    def open_after(self) -> int:
        """What stays reserved."""
        return self.redemption.open_points - self.from_hold if self.keep_rest else 0

    def settled(self, uncovered_points: int, now: datetime, debt_points: int = 0) -> tuple[Redemption, Capture]:
        """How both stand once the ledger has posted, ``uncovered_points`` being what the balance did not give, and
        ``debt_points`` what it did not give and the member owes."""
        before = self.redemption
        points = self.from_hold + self.from_available - uncovered_points
        after = replace(
            before,
            state=State.HELD if self.open_after else State.CAPTURED,
            partner_id=self.partner_id,
            member_id=self.member_id,
            open_points=self.open_after,
            captured_points=before.captured_points + points,
            uncovered_points=before.uncovered_points + uncovered_points,
            closed_at=None if self.open_after else now,
            shares=tuple(
                share.taken(part, keeps_rest=self.keep_rest)
                for share, part in zip(before.shares, self.parts[1:], strict=True)
            ),
        )
        capture = Capture(
            redemption_id=before.redemption_id,
            receipt_key=self.receipt_key,
            points=points,
            late_points=self.from_available - uncovered_points - debt_points,
            uncovered_points=uncovered_points,
            released_points=before.open_points - self.from_hold - self.open_after,
            open_before=before.open_points,
            source=self.source,
            content_hash=self.content_hash,
            let_go_before=before.let_go_points,
            debt_points=debt_points,
            late_because=late_reason(before.state) if self.from_available else None,
        )
        return after, capture


@dataclass(frozen=True, slots=True)
class Repeat:
    """This receipt has captured before. ``asked_points`` differs from what was captured where ``is_mismatch``."""

    capture: Capture
    asked_points: int

    @property
    def is_mismatch(self) -> bool:
        """Whether HTTP and the receipt disagree about the amount."""
        return self.asked_points != self.capture.asked_points


@dataclass(frozen=True, slots=True)
class Wait:
    """Nobody knows yet whose points these are: keep the tender until its card is registered or its hold comes."""

    redemption: Redemption


@dataclass(frozen=True, slots=True)
class Disregard:
    """The receipt was refused, so its tender takes nothing."""


@dataclass(frozen=True, slots=True)
class NotOurs:
    """The receipt names another partner's redemption: nothing is taken, a person is told."""


TenderDecision = Take | Repeat | Wait | Disregard | NotOurs


def decide_capture(
    redemption: Redemption, receipt_key: bytes, points: int | None, before: Capture | None, *, more: bool
) -> Take | Repeat:
    """A till asks to take ``points`` (default: all that is reserved) of a hold.

    ``before`` is what this receipt has already captured. ``more``: another capture will follow, so what is left
    stays reserved.

    Raises:
        HoldNotOpenError: nothing is reserved any more.
        ExceedsHoldError: less is reserved than was asked for.
    """
    if before is not None:
        return Repeat(before, before.open_before or before.asked_points if points is None else points)
    if redemption.state is not State.HELD or redemption.member_id is None or redemption.partner_id is None:
        raise HoldNotOpenError(redemption.state)
    wanted = redemption.open_points if points is None else points
    if wanted > redemption.open_points:
        raise ExceedsHoldError(wanted, redemption.open_points)
    return Take(
        redemption=redemption,
        member_id=redemption.member_id,
        partner_id=redemption.partner_id,
        receipt_key=receipt_key,
        from_hold=wanted,
        from_available=0,
        keep_rest=more,
        source="http",
        content_hash=None,
    )


def decide_tender(
    redemption: Redemption, tender: PointsTender, before: Capture | None, *, is_refused: bool
) -> TenderDecision:
    """A receipt says that goods were paid with points: that has happened, whatever state the redemption is in.

    An open hold pays first; one that is taken in parts keeps the rest reserved. What it does not cover, and everything
    where it expired, was let go or never was, is taken late from what is available. The hold says whose points they
    are; without one, the receipt's member pays.
    """
    if is_refused:
        return Disregard()
    if redemption.partner_id not in (None, tender.partner_id):
        return NotOurs()
    if before is not None:
        return Repeat(before, tender.points)
    member_id = redemption.member_id or tender.member_id
    if member_id is None:
        return Wait(replace(redemption, partner_id=tender.partner_id))
    from_hold = min(tender.points, redemption.open_points)
    return Take(
        redemption=redemption,
        member_id=member_id,
        partner_id=tender.partner_id,
        receipt_key=tender.receipt_key,
        from_hold=from_hold,
        from_available=tender.points - from_hold,
        keep_rest=redemption.is_taken_in_parts,
        source="event",
        content_hash=tender.content_hash,
    )
