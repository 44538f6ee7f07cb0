"""``VEL_EARN``: one member earns unusually often in a day."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, PositiveInt

from services.fraud.domain.outcomes import Action, Check, Finding, Result
from services.fraud.domain.receipts import Receipt


class VelEarn(BaseModel):
    """At least ``receipts_in_day`` receipts of a member in one day; six by default, which is more than five.

    Families share a card, so that this only flags.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    action: ClassVar = Action.FLAG

    code: Literal["VEL_EARN"] = "VEL_EARN"
    receipts_in_day: PositiveInt = 6

    def checks(self) -> tuple[Check, ...]:
        """The rule's figures, in the order of ``Finding.observed``."""
        return (Check("receipts_in_day", self.receipts_in_day, "day"),)

    def subject_of(self, receipt: Receipt) -> str | None:
        """Whom a case of this rule is about beside the member: who served; None where the receipt does not say."""
        return receipt.operator_hash

    def judges(self, _: Receipt) -> bool:
        """Whether the rule says anything of a receipt."""
        return True

    def concerns(self, late: Receipt, decided: Receipt) -> bool:
        """Whether a receipt that came late can make a hit of one decided before."""
        return decided.day == late.day

    def evaluate(self, receipts: Sequence[Receipt], position: int) -> Finding:
        """Judge the receipt at ``position`` by itself and those before it. ``receipts`` are in event order."""
        day = receipts[position].day
        first = position
        while first > 0 and receipts[first - 1].day == day:
            first -= 1
        count = position - first + 1
        if count < self.receipts_in_day:
            return Finding(Result.NO_HIT, (count,))
        evidence = tuple(receipt.receipt_key for receipt in receipts[first : position + 1])
        return Finding(Result.HIT, (count,), evidence=evidence)
