"""``CLAIMS``: one member claims many receipts that were bought without a card, as if they had been collected."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from services.fraud.domain.member_state import WINDOW_DAYS_MAX
from services.fraud.domain.outcomes import Action, Check, Finding, Result
from services.fraud.domain.receipts import NOBODY, Receipt


class Claims(BaseModel):
    """Looks at receipts that were claimed by whoever had the paper. Met by any of:

    - at least ``claims_of_day`` claimed receipts of purchases of one day;
    - at least ``claims_in_window`` of the last ``window_days``;
    - a purchase that was claimed ``days_to_claim`` days later or more, and ``late_claims`` of that window in all.

    Claims of a case that a person called a false positive count for nothing. Whoever served does not matter: the case
    is about the member.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    action: ClassVar = Action.HOLD

    code: Literal["CLAIMS"] = "CLAIMS"
    window_days: Annotated[int, Field(gt=0, le=WINDOW_DAYS_MAX)] = 30
    claims_of_day: PositiveInt = 3
    claims_in_window: PositiveInt = 5
    days_to_claim: PositiveInt = 7
    late_claims: PositiveInt = 2

    def checks(self) -> tuple[Check, ...]:
        """The rule's figures, in the order of ``Finding.observed``."""
        days = f"{self.window_days}d"
        return (
            Check("claims_of_day", self.claims_of_day, "day"),
            Check("claims_in_window", self.claims_in_window, days),
            Check("days_to_claim", self.days_to_claim, days),
        )

    def subject_of(self, receipt: Receipt) -> str | None:
        """Whom a case of this rule is about beside the member: nobody; None: the rule does not look at the receipt."""
        return NOBODY if receipt.is_claimed else None

    def judges(self, receipt: Receipt) -> bool:
        """Whether the rule says anything of a receipt."""
        return receipt.is_claimed

    def concerns(self, late: Receipt, decided: Receipt) -> bool:
        """Whether a receipt that came late can make a hit of one decided before."""
        return late.is_claimed and decided.is_claimed and not decided.is_cleared

    def evaluate(self, receipts: Sequence[Receipt], position: int) -> Finding:
        """Judge the receipt at ``position`` by itself and those before it. ``receipts`` are in event order."""
        current = receipts[position]
        first = bisect_left(receipts, (current.occurred_at - timedelta(days=self.window_days),))
        claimed = [
            receipt for receipt in receipts[first : position + 1] if receipt.is_claimed and not receipt.is_cleared
        ]
        of_day = [receipt for receipt in claimed if receipt.day == current.day]
        days = current.claimed_after_days or 0
        observed = (len(of_day), len(claimed), days)
        met = [
            (check, led_to_it)
            for check, led_to_it, is_met in (
                (1, claimed, len(claimed) >= self.claims_in_window),
                (0, of_day, len(of_day) >= self.claims_of_day),
                (2, claimed, days >= self.days_to_claim and len(claimed) >= self.late_claims),
            )
            if is_met
        ]
        if not met:
            return Finding(Result.NO_HIT, observed)
        telling, led_to_it = met[0]
        return Finding(Result.HIT, observed, telling, tuple(receipt.receipt_key for receipt in led_to_it))
