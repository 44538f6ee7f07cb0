"""What is asked about rewards in made-up lives: mostly of a voucher that was heard of, and mostly what may go."""

from dataclasses import dataclass, field

from tests.support.ledger_histories import Choices
from tests.support.redemption_voucher_steps import (
    OFFERS,
    VOUCHERS,
    Cancel,
    Confirm,
    Deliver,
    ExpireVouchers,
    Issue,
    Use,
    VoucherStep,
)

KINDS = "nykzoq"  # issue, confirm, use, cancel, deliver, expire


@dataclass(slots=True)
class VoucherTelling:
    """Makes steps that follow from what was told before. ``used_for``: at the grocer's."""

    asked: dict[int, Issue] = field(default_factory=dict)
    used_for: list[int] = field(default_factory=list)

    def voucher(self, choices: Choices) -> int:
        """Mostly one of the last."""
        if not self.asked or choices.up_to(8) == 8:
            return choices.up_to(VOUCHERS) - 1
        last = list(self.asked)[-3:]
        return choices.one_of(last)

    def tell(self, kind: str, choices: Choices, members: int, voucher: int, receipt: int) -> VoucherStep:
        """What is asked of a voucher, and perhaps of a receipt."""
        match kind:
            case "n":
                return self._issue(choices, members)
            case "y":
                return Confirm(voucher, self._price_minor_of(voucher) + choices.one_of((0, 0, 0, 5)))
            case "o":
                return Deliver(voucher)
            case "k":
                return self._use(choices, voucher, receipt)
            case "z":
                return Cancel(voucher)
            case _:
                return ExpireVouchers()

    def _issue(self, choices: Choices, members: int) -> Issue:
        """Mostly a new one; else the same again, or another one under its id."""
        number = len(self.asked) if len(self.asked) < VOUCHERS else choices.up_to(VOUCHERS) - 1
        issue = Issue(number, choices.up_to(members) - 1, choices.up_to(len(OFFERS)) - 1, choices.up_to(4) == 4)
        if self.asked and choices.up_to(5) == 5:
            again = choices.one_of(list(self.asked.values())[-2:])
            return choices.one_of((again, Issue(again.voucher, issue.member, issue.offer)))
        self.asked.setdefault(number, issue)
        return issue

    def _price_minor_of(self, voucher: int) -> int:
        return OFFERS[self.asked[voucher].offer].money_minor if voucher in self.asked else 0

    def _use(self, choices: Choices, voucher: int, receipt: int) -> Use:
        """Mostly at its partner."""
        partner = OFFERS[self.asked[voucher].offer].partner if voucher in self.asked else "grocer"
        if choices.up_to(8) == 8:
            partner = "fuel" if partner == "grocer" else "grocer"
        if partner == "grocer":
            self.used_for.append(receipt)
        return Use(voucher, receipt, partner)
