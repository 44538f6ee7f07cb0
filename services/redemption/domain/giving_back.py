"""Out of which purses what a receipt took comes back. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.redemption.domain.pooling import drawn
from services.redemption.domain.redemption import Capture, Redemption


class Undoing(Protocol):
    """A document for which points are given back, and why."""

    @property
    def undone_by(self) -> bytes: ...
    @property
    def content_hash(self) -> str: ...
    @property
    def cause(self) -> str: ...
    @property
    def traceparent(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Points of what a receipt took of a redemption, to be given back for a document: ``asked_points`` of them, or all
    that is left. ``capture`` is as it stands just before."""

    redemption: Redemption
    capture: Capture
    captured_at: datetime
    undoing: Undoing
    asked_points: int | None = None

    @property
    def points(self) -> int:
        """How many go back."""
        return self.capture.left_points if self.asked_points is None else self.asked_points

    @property
    def parts(self) -> tuple[int, ...]:
        """Of ``points``: what is the member's own, what is each share's, what was taken late and what is owed, in this
        order.

        Receipts draw on a redemption's purses one after the other, and what is let go before comes from the last, so
        where this one began follows from what was still reserved. What was taken last comes back first: what is left is
        what was taken first.
        """
        purses = [self.redemption.own_held_points, *(share.held_points for share in self.redemption.shares)]
        taken_before = drawn(
            self.redemption.held_points - self.capture.let_go_before - self.capture.open_before, purses
        )
        open_then = [purse - taken for purse, taken in zip(purses, taken_before, strict=True)]
        taken = drawn(self.capture.held_points, open_then)
        whole = [*taken, self.capture.late_points, self.capture.debt_points]
        not_given = self.capture.points - self.capture.refunded_points
        before, after = drawn(not_given, whole), drawn(not_given - self.points, whole)
        return tuple(one - other for one, other in zip(before, after, strict=True))

    @property
    def debt_points(self) -> int:
        """What of ``points`` the member owed for it."""
        return self.parts[-1]
