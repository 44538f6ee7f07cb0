"""``INS_SWIPE``: a cashier swipes an own card when customers have none."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from services.fraud.domain.member_state import WINDOW_DAYS_MAX
from services.fraud.domain.outcomes import Action, Check, Finding, Result
from services.fraud.domain.receipts import Receipt

_IN_SHIFT = 0
_OF_PAIR = 1
_OF_OWN_CARD = 4


class InsSwipe(BaseModel):
    """A member served by one operator: often in one shift, nearly always over a month, or with the operator's own card.

    Met by any of:

    - at least ``receipts_in_shift`` receipts of the pair in one business shift;
    - in the last ``window_days``, counting only stores where the member had a choice (two tills or more):
      at least ``receipts_of_pair`` receipts, at least ``share_percent`` of all the member's receipts there, and at
      least ``most_in_a_shift`` of them in one shift. A village shop's regular goes to the one till there is, and a
      colleague who buys lunch does it once a shift;
    - in the last ``window_days``, a receipt with the operator's own card, as the partner registered it, and at least
      ``own_card_receipts`` such receipts in all. Without that parameter (version 1) no such thing is looked at.

    Receipts of a case that a person called a false positive count for nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    action: ClassVar = Action.HOLD

    code: Literal["INS_SWIPE"] = "INS_SWIPE"
    receipts_in_shift: PositiveInt = 3
    window_days: Annotated[int, Field(gt=0, le=WINDOW_DAYS_MAX)] = 30
    receipts_of_pair: PositiveInt = 10
    share_percent: Annotated[int, Field(gt=0, le=100)] = 80
    most_in_a_shift: PositiveInt = 2
    own_card_receipts: PositiveInt | None = None

    def checks(self) -> tuple[Check, ...]:
        """The rule's figures, in the order of ``Finding.observed``."""
        days = f"{self.window_days}d"
        of_pair = (
            Check("receipts_in_shift", self.receipts_in_shift, "shift"),
            Check("receipts_of_pair", self.receipts_of_pair, days),
            Check("share_percent", self.share_percent, days),
            Check("most_in_a_shift", self.most_in_a_shift, days),
        )
        if self.own_card_receipts is None:
            return of_pair
        return (*of_pair, Check("own_card_receipts", self.own_card_receipts, days))

    def subject_of(self, receipt: Receipt) -> str | None:
        """Whom a case of this rule is about beside the member: who served; None where the receipt does not say."""
        return receipt.operator_hash

    def judges(self, _: Receipt) -> bool:
        """Whether the rule says anything of a receipt."""
        return True

    def concerns(self, late: Receipt, decided: Receipt) -> bool:
        """Whether a receipt that came late can make a hit of one decided before: another operator's only lowers
        the share."""
        return decided.operator_hash == late.operator_hash and not decided.is_cleared

    def evaluate(self, receipts: Sequence[Receipt], position: int) -> Finding:
        """Judge the receipt at ``position`` by itself and those before it. ``receipts`` are in event order."""
        current = receipts[position]
        operator_hash = current.operator_hash
        if operator_hash is None:
            return Finding(Result.INSUFFICIENT, (0,) * len(self.checks()))
        first = bisect_left(receipts, (current.occurred_at - timedelta(days=self.window_days),))
        counted = [receipt for receipt in receipts[first : position + 1] if not receipt.is_cleared]
        pair = [receipt for receipt in counted if receipt.operator_hash == operator_hash]
        in_shift = [receipt for receipt in pair if receipt.shift == current.shift]
        by_choice = [receipt for receipt in pair if receipt.had_choice]
        of_member = len([0 for receipt in counted if receipt.had_choice])
        most_in_a_shift = len(by_choice)
        if most_in_a_shift > 1:
            most_in_a_shift = max(Counter([receipt.shift for receipt in by_choice]).values())
        share_percent = len(by_choice) * 100 // of_member if by_choice else 0  # rounded down: 79.9% is not 80%
        own_card = [receipt for receipt in pair if receipt.is_own_card] if current.is_own_card else []
        observed: tuple[int, ...] = (len(in_shift), len(by_choice), share_percent, most_in_a_shift)
        if self.own_card_receipts is not None:
            observed += (len(own_card),)
        is_own_card = self.own_card_receipts is not None and len(own_card) >= self.own_card_receipts
        is_in_shift = len(in_shift) >= self.receipts_in_shift
        is_habit = (
            len(by_choice) >= self.receipts_of_pair
            and share_percent >= self.share_percent
            and most_in_a_shift >= self.most_in_a_shift
        )
        # The one that says it best comes first.
        met = [
            (check, receipts_of_check)
            for check, receipts_of_check, is_met in (
                (_OF_OWN_CARD, own_card, is_own_card),
                (_IN_SHIFT, in_shift, is_in_shift),
                (_OF_PAIR, by_choice, is_habit),
            )
            if is_met
        ]
        if met:
            led_to_it = {receipt for _, receipts_of_check in met for receipt in receipts_of_check}
            evidence = tuple(receipt.receipt_key for receipt in pair if receipt in led_to_it)
            return Finding(Result.HIT, observed, met[0][0], evidence)
        of_unknown_stores = len([0 for receipt in pair if receipt.had_choice is None])
        could_be_habit = len(by_choice) + of_unknown_stores >= self.receipts_of_pair > len(by_choice)
        return Finding(Result.INSUFFICIENT if could_be_habit else Result.NO_HIT, observed)
