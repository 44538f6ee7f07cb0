"""Redemptions as a person would keep them on paper, beside the ledger on paper: who asked for what, what was answered.

Written apart from ``services.redemption`` on purpose, after its README: nothing of its domain is used here, and what is
reserved, late or owed is what the ledger on paper says.
"""

from collections.abc import Callable
from typing import Any

from shared import ledger
from tests.support import redemption_steps as life
from tests.support import redemption_voucher_steps as wish
from tests.support.redemption_names import POINTS
from tests.support.redemption_paper_entries import PaperRedemption
from tests.support.redemption_paper_returns import GoesBack
from tests.support.redemption_paper_vouchers import PaperVouchers


class PaperRedemptions(PaperVouchers):
    """Everything that happened so far. ``take`` does a step, and gives the answer; ``told`` is what was published."""

    def take(self, step: life.Single) -> str:
        """What is answered, and nothing else if that is a refusal."""
        said: dict[type, Callable[[Any], str]] = {
            life.Hold: self.hold,
            life.Capture: self.capture,
            life.Void: self.void,
            life.Shrink: self.shrink,
            life.Refund: self.refund,
            life.Receipt: self._receipt,
            life.Undo: self._undo,
            life.Return: self.goods_come_back,
            life.Gift: self._gift,
            life.Expire: self.expire,
            life.Sweep: self._sweep,
            wish.Issue: self.issue,
            wish.Confirm: self.confirm,
            wish.Deliver: self.deliver,
            wish.Use: self.use,
            wish.Cancel: self.cancel,
            wish.ExpireVouchers: self.expire_vouchers,
            wish.GiveBack: self.give_vouchers_back,
        }
        return said[type(step)](step)

    def due_by(self, step: life.Single) -> list[int] | None:
        """What a job that comes by would end; None where this is none."""
        match step:
            case life.Expire():
                return self.due_to_end(step)
            case wish.ExpireVouchers():
                return self.vouchers_due_to_end()
            case _:
                return None

    def _receipt(self, step: life.Receipt) -> str:
        document = self.lived.documents[step.receipt]
        if step.receipt not in self.read:
            self.read.add(step.receipt)
            self.look_again(step.receipt)
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
            return "exception" if self.mismatch(redemption, receipt, took, points, document="receipt") else "repeat"
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
        return f"{' '.join(sorted(said))}, back {self.sweep_returns()}"

    def _undo(self, step: life.Undo) -> str:
        """All that is left of what the receipt took goes back to where it came from, once."""
        self.voided.add(step.receipt)
        self.waiting = {one for one in self.waiting if one[0] != step.receipt}
        given = [
            GoesBack(redemption, step.receipt, took, took.left, "void")
            for redemption, took in self.taken_by(step.receipt)
        ]
        for one in given:
            one.took.settled = one.took.points if one.points else one.took.settled
        return f"back {self.give_back(given)}"

    def _gift(self, step: life.Gift) -> str:
        """Once by its id; a gift that is refused leaves it free."""
        if (given := self.gifts.get(step.number)) is not None:
            return f"given {given.points}" if given == step else "gift-id-taken"
        if step.giver == step.receiver:
            return "same_member"
        giver_id, receiver_id = self.names.members[step.giver], self.names.members[step.receiver]
        outcome = self.ledger.post(ledger.Give(giver_id, POINTS, b"gift", receiver_id, "gift", step.points))
        if isinstance(outcome, ledger.Refused):
            is_owing = outcome.balance.debt > 0
            return "debt_outstanding" if is_owing else f"insufficient_points {outcome.balance.available}"
        self.gifts[step.number] = step
        self.told.append(("Gifted", step.number, step.points))
        return f"given {step.points}"
