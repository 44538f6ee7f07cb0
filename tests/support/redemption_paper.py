"""Redemptions as a person would keep them on paper, beside the ledger on paper: who asked for what, what was answered.

Written apart from ``services.redemption`` on purpose, after its README: nothing of its domain is used here, and what is
reserved, late or owed is what the ledger on paper says.
"""

from collections.abc import Callable
from typing import Any

from shared import ledger
from shared.ledger import LotTerms
from tests.support import redemption_life as life
from tests.support.redemption_names import POINTS
from tests.support.redemption_paper_holds import PARTNER, PaperHolds, PaperRedemption, Took


class PaperRedemptions(PaperHolds):
    """Everything that happened so far. ``take`` does a step, and gives the answer; ``told`` is what was published."""

    def take(self, step: life.Single) -> str:
        """What is answered, and nothing else if that is a refusal."""
        said: dict[type, Callable[[Any], str]] = {
            life.Hold: self.hold,
            life.Capture: self.capture,
            life.Void: self.void,
            life.Shrink: self.shrink,
            life.Receipt: self._receipt,
            life.Undo: self._undo,
            life.Expire: self.expire,
            life.Sweep: self._sweep,
        }
        return said[type(step)](step)

    def _receipt(self, step: life.Receipt) -> str:
        document = self.lived.documents[step.receipt]
        member = document.member if step.is_known else None
        return " ".join(
            sorted(self._tender(redemption, step.receipt, points, member) for redemption, points in document.paid)
        )

    def _tender(self, redemption: int, receipt: int, points: int, member: int | None) -> str:
        self.waiting.discard((receipt, redemption))
        found = self.redemptions.setdefault(redemption, PaperRedemption(is_known=False))
        if receipt in self.voided:
            return "refused"
        if (took := found.took.get(receipt)) is not None:
            return "exception" if self.mismatch(redemption, receipt, took, points, is_document=True) else "repeat"
        member = member if found.member is None else found.member
        found.is_known = True
        if member is None:
            self.waiting.add((receipt, redemption))
            return "waiting"
        took = self.take_points(redemption, receipt, member, points, keeps_rest=found.is_taken_in_parts)
        return "captured" if took.because is None else "late"

    def _sweep(self, _step: life.Sweep) -> str:
        """What waits takes its points once somebody says whose they are."""
        waiting = sorted(
            (self.names.receipt_keys[one], self.names.redemptions[other], one, other) for one, other in self.waiting
        )
        said = []
        for _, _, receipt, redemption in waiting:
            if self.redemptions[redemption].member is not None:
                points = dict(self.lived.documents[receipt].paid)[redemption]
                said.append(self._tender(redemption, receipt, points, None))
        return " ".join(sorted(said))

    def _undo(self, step: life.Undo) -> str:
        """All that the receipt took goes back to where it came from, once; what is owed for it is owed no more."""
        self.voided.add(step.receipt)
        self.waiting = {one for one in self.waiting if one[0] != step.receipt}
        by_id = sorted(self.redemptions, key=self.names.redemptions.__getitem__)
        taken = [
            (one, self.redemptions[one].took[step.receipt])
            for one in by_id
            if step.receipt in self.redemptions[one].took
        ]
        return f"back {sum(self._give_back(redemption, step.receipt, took) for redemption, took in taken)}"

    def _give_back(self, redemption: int, receipt: int, took: Took) -> int:
        points = took.points - took.back
        if not points:
            return 0
        member = self.redemptions[redemption].member
        assert member is not None
        owner_id, undone_by = self.names.members[member], self.names.void_keys[receipt]
        late_id = self.names.late_of(redemption, receipt)
        if took.owed:
            terms = LotTerms(PARTNER, self.now.date(), None, basis="compensation")
            self.post(ledger.RefundOwed(owner_id, POINTS, undone_by, took.owed, late_id, PARTNER, terms))
        parts = [*took.parts, (member, late_id, took.late)]
        for owner, hold_id, part in parts:
            if part:
                whose = self.names.members[owner]
                self.post(ledger.Refund(whose, POINTS, undone_by, part, hold_id, PARTNER, self.until))
        took.back += points
        for is_document in (True, False):
            if ("amount_mismatch", redemption, receipt, is_document) in self.exceptions:
                self.exceptions["amount_mismatch", redemption, receipt, is_document] = False
        self.told.append(("Refunded", redemption, receipt, points - took.owed, took.owed))
        return points
