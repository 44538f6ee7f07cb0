"""What is remembered of a member: the receipts of the longest window, and the cases that are open."""

from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import NamedTuple

from services.fraud.domain.receipts import NOBODY, Receipt

WINDOW_DAYS_MAX = 30
LATE_DAYS_MAX = 7
# A receipt that is as late as is allowed still finds its whole window.
KEPT = timedelta(days=WINDOW_DAYS_MAX + LATE_DAYS_MAX)
LATE_MAX = timedelta(days=LATE_DAYS_MAX)

# More than ten a day: a card that is used for everybody. Figures saturate there, far above every threshold.
RECEIPTS_KEPT_MAX = 400
# Bounds what closing a case releases in one transaction; the next receipt of the pair opens another case.
CASE_RECEIPTS_MAX = 1_000


class OpenCase(NamedTuple):
    """An open case that takes more receipts. ``opened_by`` is the natural key of the receipt that opened it."""

    opened_by: bytes
    operator_hash: str
    rule_code: str
    receipts: int


class WindowChange(NamedTuple):
    """How a window differs from what it was: receipts that came, and those that are no longer needed."""

    added: tuple[Receipt, ...]
    dropped: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True)
class MemberState:
    """A member's window in event order, and the open cases in the order of their keys, at most one an operator."""

    receipts: tuple[Receipt, ...] = ()
    open_cases: tuple[OpenCase, ...] = ()

    def position_of(self, receipt: Receipt) -> int:
        """Where the receipt stands, or would stand, in event order."""
        return bisect_left(self.receipts, receipt[:2])

    def with_receipt(self, receipt: Receipt, position: int) -> "MemberState":
        """The state with one more receipt in its place."""
        return MemberState((*self.receipts[:position], receipt, *self.receipts[position:]), self.open_cases)

    def find(self, receipt_key: bytes) -> Receipt | None:
        """The receipt, if the window still has it."""
        return next((receipt for receipt in self.receipts if receipt.receipt_key == receipt_key), None)

    def without(self, receipt_key: bytes) -> "MemberState":
        """The state that this receipt has left. What was found with its help stands."""
        return replace(self, receipts=tuple(one for one in self.receipts if one.receipt_key != receipt_key))

    def with_fired(self, receipt_key: bytes, rule_code: str) -> "MemberState":
        """The state in which this rule has raised its signal on this receipt."""
        return replace(
            self,
            receipts=tuple(
                receipt.with_fired(rule_code) if receipt.receipt_key == receipt_key else receipt
                for receipt in self.receipts
            ),
        )

    def not_held(self, keys: Collection[bytes]) -> tuple[Receipt, ...]:
        """Those of these receipts that were never held, in event order."""
        wanted = frozenset(keys)
        return tuple(receipt for receipt in self.receipts if receipt.receipt_key in wanted and not receipt.is_held)

    def with_held(self, receipts: Collection[Receipt]) -> "MemberState":
        """The state in which a hold was asked for on these receipts."""
        held = frozenset(receipt.receipt_key for receipt in receipts)
        return replace(
            self,
            receipts=tuple(
                receipt._replace(is_held=True) if receipt.receipt_key in held else receipt for receipt in self.receipts
            ),
        )

    def case_of(self, operator_hash: str) -> OpenCase | None:
        """The open case that this operator's receipts of the member join; of ``NOBODY``: the one about the member."""
        return next((case for case in self.open_cases if case.operator_hash == operator_hash), None)

    def cases_of(self, receipt: Receipt) -> list[OpenCase]:
        """The open cases that a receipt joins: its operator's, and if it was claimed the one about the member alone."""
        subjects = (receipt.operator_hash, NOBODY if receipt.is_claimed else None)
        return [case for subject in subjects if subject is not None and (case := self.case_of(subject)) is not None]

    def with_case(self, case: OpenCase) -> "MemberState":
        """The state with this case in place of the operator's former one; a full case takes no more receipts."""
        others = tuple(other for other in self.open_cases if other.operator_hash != case.operator_hash)
        return replace(self, open_cases=tuple(sorted((*others, case))) if case.receipts < CASE_RECEIPTS_MAX else others)

    def is_too_late(self, receipt: Receipt) -> bool:
        """Whether receipts of its windows may have been forgotten already."""
        return receipt.occurred_at < self.receipts[-1].occurred_at - LATE_MAX

    def trimmed(self) -> "MemberState":
        """The state without what no window needs any more.

        Bounded by event time and not by the present, so that history can be played at any time: kept are 37 days
        before the member's newest receipt, and of these the newest 400.
        """
        oldest = self.receipts[-1].occurred_at - KEPT
        first = max(len(self.receipts) - RECEIPTS_KEPT_MAX, 0)
        while self.receipts[first].occurred_at <= oldest:
            first += 1
        return MemberState(self.receipts[first:], self.open_cases) if first else self

    def change_since(self, before: "MemberState") -> WindowChange:
        """What to write so that a stored window becomes this one. What became of a receipt is stored elsewhere."""
        known = {(receipt.receipt_key, receipt.moves) for receipt in before.receipts}
        kept = {(receipt.receipt_key, receipt.moves) for receipt in self.receipts}
        return WindowChange(
            tuple(receipt for receipt in self.receipts if (receipt.receipt_key, receipt.moves) not in known),
            tuple(receipt for receipt in before.receipts if (receipt.receipt_key, receipt.moves) not in kept),
        )
