"""Goods that came back, and what goes back for them, as a person would keep it on paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from shared import ledger
from shared.ledger import LotTerms
from shared.money import share_out
from tests.support import redemption_steps as life
from tests.support.redemption_names import POINTS
from tests.support.redemption_paper_entries import PaperReturn, Took
from tests.support.redemption_paper_holds import PARTNER, PaperHolds

UNREAD_FOR = timedelta(days=1)


@dataclass
class GoesBack:
    """So many points of what a receipt took of a redemption, for a document."""

    redemption: int
    receipt: int
    took: Took
    points: int
    undone_by: str

    def __post_init__(self) -> None:
        """What of it comes from each purse, from what was late and from what is owed, in this order."""
        skipped, left = self.took.back, self.points
        going: list[int] = []
        for part in reversed([*(part for _, _, part in self.took.parts), self.took.late, self.took.owed]):
            gone = min(skipped, part)
            going.append(min(left, part - gone))
            skipped, left = skipped - gone, left - going[-1]
        self.parts = going[::-1]
        if self.points:
            self.took.back_by[self.undone_by] = self.took.back_by.get(self.undone_by, 0) + self.points


class PaperReturns(PaperHolds):
    """What is reserved and taken, and what came back of that."""

    def goods_come_back(self, step: life.Return) -> str:
        """A return is read; a document that was read before is nothing new."""
        receipt = self.lived.returns[step.number].receipt
        if step.number not in self.returns:
            self.returns[step.number] = PaperReturn(receipt, self.now)
            self.due.add(receipt)
        return f"back {self.settle_returns(receipt)}"

    def settle_returns(self, receipt: int) -> int:
        """What is due of this receipt goes back, by line and quantity: of each line's points the part of all pieces
        that have come back so far, rounded down, less what came before."""
        if receipt not in self.due:
            return 0
        self.due.discard(receipt)
        kept = {
            number: one for number, one in self.returns.items() if one.receipt == receipt and one.state != "refused"
        }
        taken = self.taken_by(receipt)
        if receipt not in self.read or receipt in self.voided:
            for one in kept.values():
                if receipt not in self.read:
                    one.state = "unread" if taken else "waiting"
            return 0
        keys = self.names.return_keys
        pieces = [0] * len(self.lived.documents[receipt].lines)
        given: list[GoesBack] = []
        for number in sorted(kept, key=lambda one: (kept[one].state != "counted", kept[one].at, keys[one])):
            after = [had + more for had, more in zip(pieces, self.lived.returns[number].pieces, strict=True)]
            if any(one > bought for one, (bought, _) in zip(after, self.lived.documents[receipt].lines, strict=True)):
                kept[number].state = "refused"
                for redemption, _ in taken[:1]:
                    self.exceptions.setdefault(("returned_more", redemption, receipt, f"return {number}"), True)
                continue
            kept[number].state, pieces = "counted", after
            for redemption, took in taken:
                given += self._for_return(redemption, receipt, took, number, pieces)
        return self.give_back(sorted(given, key=lambda one: self.names.redemptions[one.redemption]))

    def _for_return(self, redemption: int, receipt: int, took: Took, number: int, pieces: list[int]) -> list[GoesBack]:
        """What goes back of a redemption for a return that counts, all of these pieces having come back by then."""
        worth, document = self._worth(receipt, took, pieces), f"return {number}"
        if number in took.unnamed:
            self._name(redemption, receipt, took, number, worth)
        if document in took.back_by:
            return []
        points = max(0, min(took.points - took.back, worth - took.named))
        settled = max(took.settled, worth + sum(took.unnamed.values()), took.back + points)
        took.settled = min(took.points, settled)
        return [GoesBack(redemption, receipt, took, points, document)]

    def _name(self, redemption: int, receipt: int, took: Took, number: int, worth: int) -> None:
        """HTTP gave points back for this return before: now it says for which goods, and should be the same."""
        named = took.named
        given = took.unnamed.pop(number)
        if max(0, min(took.points - took.back + given, worth - named)) != given:
            self.exceptions.setdefault(("amount_mismatch", redemption, receipt, f"return {number}"), True)
        settled = max(max(named, worth) + sum(took.unnamed.values()), took.back)
        took.settled = min(took.points, settled)

    def refund(self, step: life.Refund) -> str:
        """For a return, once, whichever comes first, this or its document; for which goods, the document will say."""
        receipt, document = self.lived.returns[step.number].receipt, f"return {step.number}"
        found, read = self.redemptions.get(step.redemption), self.returns.get(step.number)
        if found is None or not found.is_known:
            return "not-found"
        if (took := found.took.get(receipt)) is None:
            return "nothing-captured"
        if document in took.back_by or (read is not None and read.state == "counted"):
            given = took.back_by.get(document, 0)
            if given != step.points:
                self.exceptions.setdefault(("amount_mismatch", step.redemption, -1 - step.number, ""), True)
            return f"refunded {given}"
        if receipt in self.voided:
            return "receipt-voided"
        if step.points > took.left:
            return f"overpaid-refund {took.left}"
        settled = max(took.settled, took.back) + step.points
        self.give_back([GoesBack(step.redemption, receipt, took, step.points, document)])
        took.settled, took.unnamed[step.number] = settled, step.points
        return f"refunded {step.points}"

    def _worth(self, receipt: int, took: Took, pieces: list[int]) -> int:
        """What had paid for so many pieces of each line."""
        document = self.lived.documents[receipt]
        by_line = share_out(took.points, document.amounts_minor)
        lines = zip(by_line, pieces, document.lines, strict=True)
        return sum(points * came_back // bought for points, came_back, (bought, _) in lines)

    def sweep_returns(self) -> int:
        """Whatever is due; and a person is told of what came back of receipts that nobody has read for a day, as long
        as something of them is left to be given back."""
        back = sum(self.settle_returns(receipt) for receipt in sorted(self.due))
        for number, one in self.returns.items():
            if one.state == "unread" and one.at < self.now - UNREAD_FOR:
                one.state = "told"
                for redemption, took in self.taken_by(one.receipt):
                    if took.back < took.points:
                        self.exceptions.setdefault(
                            ("unread_receipt", redemption, one.receipt, f"return {number}"), True
                        )
        return back

    def taken_by(self, receipt: int) -> list[tuple[int, Took]]:
        """What a receipt took, in the order of redemptions' ids."""
        by_id = sorted(self.redemptions, key=self.names.redemptions.__getitem__)
        return [(one, self.redemptions[one].took[receipt]) for one in by_id if receipt in self.redemptions[one].took]

    def give_back(self, given: Sequence[GoesBack]) -> int:
        """To where it came from, what was taken last first. Before that, what is owed for it is owed no more."""
        each = [(one, one.parts) for one in given if one.points]
        for one, (*_, owed) in each:
            if owed:
                late_id, reference = self.names.late_of(one.redemption, one.receipt), self._key_of(one)
                terms = LotTerms(PARTNER, self.now.date(), None, basis="compensation")
                owner_id = self._owner_of(one.redemption)
                self.post(ledger.RefundOwed(owner_id, POINTS, reference, owed, late_id, PARTNER, terms))
        for one, (*lots, owed) in each:
            late_id, reference = self.names.late_of(one.redemption, one.receipt), self._key_of(one)
            purses = [(self.names.members[owner], hold_id) for owner, hold_id, _ in one.took.parts]
            purses.append((self._owner_of(one.redemption), late_id))
            for (owner_id, hold_id), part in zip(purses, lots, strict=True):
                if part:
                    self.post(ledger.Refund(owner_id, POINTS, reference, part, hold_id, PARTNER, self.until))
            self._close_exceptions(one)
            self.told.append(("Refunded", one.redemption, one.receipt, one.points - owed, owed))
        return sum(one.points for one, _ in each)

    def _owner_of(self, redemption: int) -> UUID:
        member = self.redemptions[redemption].member
        assert member is not None
        return self.names.members[member]

    def _key_of(self, one: GoesBack) -> bytes:
        if one.undone_by == "void":
            return self.names.void_keys[one.receipt]
        return self.names.return_keys[int(one.undone_by.removeprefix("return "))]

    def _close_exceptions(self, given: GoesBack) -> None:
        for kind, one, other, document in self.exceptions:
            is_settled = kind == "unread_receipt" or (given.undone_by == "void" and kind == "amount_mismatch")
            if (one, other) == (given.redemption, given.receipt) and is_settled:
                self.exceptions[kind, one, other, document] = False
