"""What tills ask over HTTP, as a person would keep it on paper beside the ledger's paper, and what a capture takes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from shared import ledger
from shared.ledger import Basket, Command, Posted
from shared.ledger.commands import LOTS_PER_HOLD_MAX
from tests.support import redemption_steps as life
from tests.support.ledger_model import PaperLedger
from tests.support.redemption_names import POINTS, Names
from tests.support.redemption_paper_entries import PaperRedemption, PaperReturn, Took

PARTNER = "grocer"
_LATE_BECAUSE = {
    "awaited": "hold_missing",
    "declined": "hold_declined",
    "voided": "hold_voided",
    "expired": "hold_expired",
    "captured": "hold_captured",
    "held": "hold_smaller",
}

Told: TypeAlias = tuple[Any, ...]  # an event: what happened, of which redemption, and its figures


class PaperHolds:
    """What was reserved, and what became of it. ``told`` is what was published."""

    def __init__(self, lived: life.Life, names: Names, now: datetime) -> None:
        self.lived, self.names, self.now = lived, names, now
        self.ledger = PaperLedger(LOTS_PER_HOLD_MAX)
        self.redemptions: dict[int, PaperRedemption] = {}
        self.waiting: set[tuple[int, int]] = set()
        self.passed_over: frozenset[int] = frozenset()  # holds that somebody is busy with when the job comes by
        self.voided: set[int] = set()
        self.read: set[int] = set()
        self.gifts: dict[int, life.Gift] = {}
        self.exceptions: dict[tuple[str, int, int, str], bool] = {}  # by kind, capture and document: is it open
        self.returns: dict[int, PaperReturn] = {}
        self.due: set[int] = set()  # receipts whose returns somebody must look at
        self.told: list[Told] = []
        self.ledger.see_day(now.date())

    def post(self, command: Command) -> Posted:
        """On the ledger's paper; what is asked for here is never refused."""
        posted = self.ledger.post(command)
        assert isinstance(posted, Posted), posted
        return posted

    def pass_to(self, now: datetime) -> None:
        """It is later."""
        self.now = now
        if now.date() != self.ledger.today:
            self.ledger.see_day(now.date())

    def open_points(self, of: PaperRedemption) -> int:
        """What is still reserved."""
        return sum(self._reserved(*purse) for purse in of.purses)

    def _reserved(self, member: int, hold_id: UUID) -> int:
        hold = self.ledger.owners[self.names.members[member], POINTS].holds[hold_id]
        return sum(hold.reserved.values())

    def usable(self, member: int, basket: Basket) -> int:
        """What a member has that this basket may use."""
        owner = self.ledger.owners[self.names.members[member], POINTS]
        owner.today = self.ledger.today
        return sum(owner.lots[terms, None] for terms in owner.spendable(basket))

    @property
    def _basket(self) -> Basket:
        return Basket(PARTNER, self.now.date())

    def hold(self, step: life.Hold) -> str:
        found = self.redemptions.get(step.redemption, PaperRedemption())
        if found.state == "held":
            is_same = (found.member, found.held) == (step.member, step.points)
            return f"held {self.open_points(found)}" if is_same else "redemption-id-taken"
        if found.state in ("captured", "voided", "expired"):
            return "already-captured" if found.state == "captured" else "hold-not-open"
        self.redemptions[step.redemption] = found
        found.is_known, found.member = True, step.member
        if any(redemption == step.redemption for _, redemption in self.waiting):
            return "already-captured"
        owners = [step.member, *self._lenders(step.member)]
        there = [self.usable(owner, self._basket) for owner in owners]
        if sum(there) < step.points:
            found.state = "declined"
            self.told.append(("Declined", step.redemption, step.points))
            return f"insufficient-points {sum(there)}"
        self._reserve(found, step, list(zip(owners, there, strict=True)))
        self.told.append(("Held", step.redemption, step.points))
        return f"held {step.points}"

    def _reserve(self, found: PaperRedemption, step: life.Hold, purses: Sequence[tuple[int, int]]) -> None:
        """Of the member first, then of those who lend."""
        found.state, found.held, found.is_taken_in_parts = "held", step.points, step.is_taken_in_parts
        found.ends = self.names.end_of(step.redemption, self.now)
        found.purses, left = [], step.points
        for owner, there in purses:
            part = min(left, there)
            if part:
                hold_id = self.names.hold_of(step.redemption, owner, is_own=owner == step.member)
                owner_id, reference = self.names.members[owner], self.names.redemptions[step.redemption].bytes
                self.post(ledger.Reserve(owner_id, POINTS, reference, part, hold_id, self._basket))
                found.purses.append((owner, hold_id))
                left -= part

    def _lenders(self, member: int) -> list[int]:
        household = self.names.household if self.lived.is_household else ()
        return [one for one in household if one != member] if member in household else []

    def capture(self, step: life.Capture) -> str:
        found = self.redemptions.get(step.redemption)
        if found is None or not found.is_known:
            return "not-found"
        took = found.took.get(step.receipt)
        if took is not None:
            asked = (took.open_before or took.asked) if step.points is None else step.points
            self.mismatch(step.redemption, step.receipt, took, asked, document="")
        else:
            there = self.open_points(found)
            points = there if step.points is None else step.points
            if found.state != "held":
                return "hold-not-open"
            if points > there:
                return "exceeds-hold"
            if step.receipt in self.voided:
                return "receipt-voided"
            took = self.take_points(step.redemption, step.receipt, found.member, points, keeps_rest=step.more)
        return f"took {took.points} of {found.state}, {self.open_points(found)} left"

    def take_points(self, redemption: int, receipt: int, member: int | None, points: int, *, keeps_rest: bool) -> Took:
        """From what is reserved, purse by purse; what that does not cover late, from the member's own; then it is the
        partner's loss, or owed."""
        assert member is not None
        found = self.redemptions[redemption]
        key, before, because = self.names.receipt_keys[receipt], found.state, _LATE_BECAUSE[found.state]
        took = Took([], 0, 0, 0, 0, self.open_points(found), None)
        left, until = min(points, took.open_before), self.until
        for owner, hold_id in found.purses:
            reserved, owner_id = self._reserved(owner, hold_id), self.names.members[owner]
            part = min(left, reserved)
            if part:
                self.post(ledger.Capture(owner_id, POINTS, key, part, hold_id, PARTNER, keeps_rest, until))
                took.parts.append((owner, hold_id, part))
            elif reserved and not keeps_rest:
                self.post(ledger.Void(owner_id, POINTS, key, hold_id, "void", until))
            left -= part
        took.released = took.open_before - sum(part for _, _, part in took.parts) - self.open_points(found)
        if late := points - min(points, took.open_before):
            owner_id, late_id = self.names.members[member], self.names.late_of(redemption, receipt)
            owes = self.lived.members_owe
            spent = self.post(ledger.SpendLate(owner_id, POINTS, key, late, PARTNER, late_id, self._basket, owes))
            took.late, took.uncovered, took.owed, took.because = (
                spent.points,
                spent.shortfall,
                spent.debt_added,
                because,
            )
        found.member = member if before != "held" else found.member
        found.state = "held" if self.open_points(found) else "captured"
        found.took[receipt] = took
        self.look_again(receipt)
        figures = (took.points - took.owed, took.released, took.uncovered, took.owed, took.because)
        self.told.append(("Captured", redemption, receipt, *figures))
        return took

    def look_again(self, receipt: int) -> None:
        """What came back of this receipt may be due now."""
        if any(one.receipt == receipt and one.state != "refused" for one in self.returns.values()):
            self.due.add(receipt)

    @property
    def until(self) -> Any:
        days = self.lived.came_back_days
        return self.now.date() + timedelta(days=days) if days else None

    def mismatch(self, redemption: int, receipt: int, took: Took, asked: int, *, document: str) -> bool:
        if took.asked == asked:
            return False
        self.exceptions.setdefault(("amount_mismatch", redemption, receipt, document), True)
        return True

    def void(self, step: life.Void) -> str:
        found = self.redemptions.get(step.redemption)
        if found is None or not found.is_known:
            self.redemptions[step.redemption] = PaperRedemption("voided")
            return "voided 0"
        if found.state != "held":
            return "hold-not-open"
        points = self._let_go(step.redemption, "void")
        self.told.append(("Voided", step.redemption, points, 0))
        return f"voided {points}"

    def _let_go(self, redemption: int, purpose: Any) -> int:
        found = self.redemptions[redemption]
        reference, points = self.names.redemptions[redemption].bytes, self.open_points(found)
        for owner, hold_id in found.purses:
            if self._reserved(owner, hold_id):
                owner_id = self.names.members[owner]
                self.post(ledger.Void(owner_id, POINTS, reference, hold_id, purpose, self.until))
        found.state = {"void": "voided", "expire": "expired"}[purpose]
        return points

    def shrink(self, step: life.Shrink) -> str:
        found = self.redemptions.get(step.redemption)
        if found is None or not found.is_known:
            return "not-found"
        if found.state != "held":
            return "hold-not-open"
        if step.points > self.open_points(found):
            return "exceeds-hold"
        keeping, parts = step.points, []
        for owner, hold_id in found.purses:  # what would be taken last goes first
            kept = min(keeping, self._reserved(owner, hold_id))
            parts.append((owner, hold_id, self._reserved(owner, hold_id) - kept))
            keeping -= kept
        reference = self.names.redemptions[step.redemption].bytes
        for owner, hold_id, points in parts:
            if points:
                owner_id = self.names.members[owner]
                self.post(ledger.Void(owner_id, POINTS, reference, hold_id, "void", self.until, points))
        gone = sum(points for _, _, points in parts)
        if gone:
            self.told.append(("Voided", step.redemption, gone, step.points))
        return f"let go {gone}"

    def due_to_end(self, step: life.Expire) -> list[int]:
        """Whose time is over, as far as purchases have been read."""
        read_to = self.now - timedelta(hours=step.hours_behind)
        due = [
            (found.ends, redemption)
            for redemption, found in self.redemptions.items()
            if found.state == "held" and found.ends is not None and found.ends <= read_to
        ]
        return [redemption for _, redemption in sorted(due)]

    def expire(self, step: life.Expire) -> str:
        due = [redemption for redemption in self.due_to_end(step) if redemption not in self.passed_over]
        for redemption in due:
            self.told.append(("Expired", redemption, self._let_go(redemption, "expire")))
        return f"expired {len(due)}"
