"""Made-up lives of a few members at the tills: few of everything and small amounts, so that everything meets."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from tests.support.ledger_histories import Choices
from tests.support.redemption_steps import (
    GIFTS,
    HOURS_OF_A_HOLD,
    LOTS,
    MEMBERS,
    RECEIPTS,
    REDEMPTIONS,
    RETURNS,
    UNHEARD,
    Again,
    AtOnce,
    Capture,
    Document,
    Earn,
    Expire,
    Gift,
    Goods,
    Hold,
    HoursPass,
    Lapse,
    Life,
    Receipt,
    Refund,
    Return,
    Shrink,
    Single,
    Step,
    Sweep,
    TakeBack,
    Undo,
    Void,
)
from tests.support.redemption_voucher_life import KINDS as OF_VOUCHERS
from tests.support.redemption_voucher_life import VoucherTelling
from tests.support.redemption_voucher_steps import GiveBack

# What happens how often: most of it to redemptions whose points are reserved, some of it to any.
_OFTEN = "hhhhhhhhccccccvvssrrrrruuugggggiixxxweeeebltttaaddddddmmnnnnnyykkkkkozzqqjUUMMfffff"
_AT_ONCE = "ccvveerrhsfg"
_OF_VOUCHER_AT_ONCE = "nykkkzzqqjuho"
_HOURS = (1, HOURS_OF_A_HOLD + 1, HOURS_OF_A_HOLD + 1, 5 * 24, 20 * 24)
REPEATED_BACK_MAX = 2
# Mostly small numbers are drawn: spread out, they choose everything alike.
NUMBERS, SPREAD = 2**60, 0x9E3779B97F4A7C15


@dataclass(slots=True)
class _Telling:
    """Makes steps that follow from what was told before."""

    open: list[int] = field(default_factory=list)
    named: dict[int, Hold] = field(default_factory=dict)
    documents: dict[int, Document] = field(default_factory=dict)
    returns: list[Goods] = field(default_factory=list)
    gifts: list[Gift] = field(default_factory=list)
    vouchers: VoucherTelling = field(default_factory=VoucherTelling)
    done: list[Step] = field(default_factory=list)  # what may be said once more, under another key

    def tell(self, kind: str, choices: Choices) -> list[Step]:
        """What happens next."""
        match kind:
            case "e":
                return [Earn(choices.up_to(MEMBERS) - 1, choices.up_to(60), choices.up_to(LOTS) - 1)]
            case "b":
                return [TakeBack(choices.up_to(MEMBERS) - 1, choices.up_to(40), choices.up_to(LOTS) - 1)]
            case "l":
                return [Lapse()]
            case "t":
                return [HoursPass(choices.one_of(_HOURS))]
            case "a":
                return [Again(choices.up_to(9) - 1)]
            case "w":
                return [Sweep()]
            case "i":
                return [self._gift(choices)]
            case "d" if self.done:
                return [choices.one_of(self.done[-REPEATED_BACK_MAX:])]
            case "m" | "M" | "f":
                several = {"m": self._at_once, "M": self._at_once_of_voucher, "f": self._refunds}
                return several[kind](choices)
            case _:
                self.done.append(self._single(kind, choices, self._redemption(choices)))
                return self.done[-1:]

    def _gift(self, choices: Choices) -> Gift:
        """Mostly a new one; else the same again, or another one under its id."""
        number = len(self.gifts) if len(self.gifts) < GIFTS else choices.up_to(GIFTS) - 1
        gift = Gift(number, choices.up_to(MEMBERS) - 1, choices.up_to(MEMBERS) - 1, choices.up_to(25))
        if self.gifts and choices.up_to(3) == 3:
            gift = choices.one_of((self.gifts[-1], replace(gift, number=self.gifts[-1].number)))
        else:
            self.gifts.append(gift)
        return gift

    def _at_once(self, choices: Choices) -> list[Step]:
        """Two or three things about one redemption, mostly when its time is over."""
        redemption = self._redemption(choices)
        kinds = [choices.one_of(_AT_ONCE) for _ in range(1 + choices.up_to(2))]
        steps = tuple(self._single("x" if kind == "e" else kind, choices, redemption) for kind in kinds)
        later = [HoursPass(HOURS_OF_A_HOLD + 1)] if choices.up_to(3) < 3 else []
        return [*later, AtOnce(steps, tuple(choices.up_to(12) for _ in steps))]

    def _at_once_of_voucher(self, choices: Choices) -> list[Step]:
        """Two or three things about one voucher, or its receipt."""
        voucher, redemption = self.vouchers.voucher(choices), self._redemption(choices)
        kinds = [choices.one_of(_OF_VOUCHER_AT_ONCE) for _ in range(1 + choices.up_to(2))]
        steps = tuple(self._single("U" if one == "u" else one, choices, redemption, voucher) for one in kinds)
        later = [HoursPass(choices.one_of(_HOURS))] if choices.up_to(3) == 3 else []
        return [*later, AtOnce(steps, tuple(choices.up_to(12) for _ in steps))]

    def _single(self, kind: str, choices: Choices, redemption: int, voucher: int | None = None) -> Single:
        if kind in OF_VOUCHERS:
            voucher = self.vouchers.voucher(choices) if voucher is None else voucher
            return self.vouchers.tell(kind, choices, MEMBERS, voucher, self._receipt(choices, redemption))
        if kind in "Uj":
            used_for = self.vouchers.used_for[-2:] or [self._receipt(choices, redemption)]
            return Undo(used_for[-1]) if kind == "U" else GiveBack(choices.one_of(used_for))
        if kind == "f":
            return self._refund(choices, redemption)
        return self._of_redemption(kind, choices, redemption)

    def _of_redemption(self, kind: str, choices: Choices, redemption: int) -> Single:
        match kind:
            case "h":
                return self._hold(choices)
            case "c":
                more, some = choices.up_to(2) == 2, choices.up_to(8)
                points = some if more else choices.one_of((None, None, some))
                self._close(redemption, is_closed=not more)
                return Capture(redemption, self._receipt(choices, redemption), points, more)
            case "v":
                self._close(redemption)
                return Void(redemption)
            case "s":
                return Shrink(redemption, choices.up_to(8))
            case "r":
                receipt = self._receipt(choices, redemption)
                for one, _ in self.documents[receipt].paid:
                    hold = self.named.get(one)
                    self._close(one, is_closed=hold is None or not hold.is_taken_in_parts)
                return Receipt(receipt, is_known=choices.up_to(4) < 4)
            case "u":
                return Undo(self._receipt(choices, redemption))
            case "g":
                return Return(self._goods(choices, redemption))
            case _:
                return Expire(choices.one_of((0, HOURS_OF_A_HOLD)))

    def _redemption(self, choices: Choices) -> int:
        if self.open and choices.up_to(6) < 6:
            return self.open[-choices.up_to(min(2, len(self.open)))]
        return choices.up_to(REDEMPTIONS) - 1

    def _close(self, redemption: int, *, is_closed: bool = True) -> None:
        if is_closed and redemption in self.open:
            self.open.remove(redemption)

    def _hold(self, choices: Choices) -> Hold:
        unused = [one for one in range(REDEMPTIONS) if one not in self.named]
        is_new = bool(unused) and choices.up_to(5) < 5
        redemption = unused[0] if is_new else choices.up_to(REDEMPTIONS) - 1
        hold = Hold(redemption, choices.up_to(MEMBERS) - 1, choices.up_to(40), choices.up_to(2) == 2)
        if redemption in self.named and choices.up_to(2) == 2:
            return self.named[redemption]  # the same again
        self.named[redemption] = hold
        self.open = [*(one for one in self.open if one != redemption), redemption]
        return hold

    def _receipt(self, choices: Choices, redemption: int) -> int:
        """One that was heard of, or a new one, which says that it was paid with this redemption."""
        if (self.documents and choices.up_to(5) > 3) or len(self.documents) == RECEIPTS:
            return choices.up_to(len(self.documents)) - 1
        hold = self.named.get(redemption)
        points = hold.points if hold is not None and choices.up_to(2) == 1 else choices.up_to(30)
        paid = [(redemption, points)]
        if choices.up_to(4) == 4:
            paid.append(((redemption + choices.up_to(REDEMPTIONS - 1)) % REDEMPTIONS, choices.up_to(20)))
        member = choices.one_of((*range(MEMBERS), *range(MEMBERS), None))
        lines = tuple((choices.up_to(3), choices.up_to(4)) for _ in range(choices.up_to(3)))
        self.documents[len(self.documents)] = Document(tuple(paid), member, lines, choices.one_of((0, 0, 7)))
        return len(self.documents) - 1

    def _refunds(self, choices: Choices) -> list[Step]:
        """Mostly of a receipt that is read, and with the document of its return, whichever comes first."""
        refund = self._refund(choices, self._redemption(choices))
        receipt = self.returns[refund.number].receipt
        sale, document, void = Receipt(receipt), Return(refund.number), Undo(receipt)
        others: tuple[list[Step], ...] = (
            [sale, refund, document],
            [sale, refund, document],
            [sale, document, refund],
            [refund, sale, document],
            [sale, refund, document, void, void],
            [refund],
        )
        return choices.one_of(others)

    def _refund(self, choices: Choices, redemption: int) -> Refund:
        """Mostly of a redemption that its receipt names."""
        number = self._goods(choices, redemption)
        paid = [one for one, _ in self.documents[self.returns[number].receipt].paid]
        return Refund(choices.one_of((*paid, *paid, redemption)), number, choices.up_to(12))

    def _goods(self, choices: Choices, redemption: int) -> int:
        """A return that was heard of, or a new one, mostly of less than all."""
        if (self.returns and choices.up_to(4) == 4) or len(self.returns) == RETURNS:
            return choices.up_to(len(self.returns)) - 1
        is_more = bool(self.returns) and choices.up_to(2) == 2
        receipt = self.returns[-1].receipt if is_more else self._receipt(choices, redemption)
        bought = [pieces for pieces, _ in self.documents[receipt].lines]
        came_back = tuple(min(choices.up_to(3) - 1, pieces) for pieces in bought)
        self.returns.append(Goods(receipt, came_back if any(came_back) else (1, *came_back[1:])))
        return len(self.returns) - 1


def lives(steps_max: int = 36) -> st.SearchStrategy[Life]:
    """Whole lives, after everybody has earned something."""
    drawn = st.tuples(st.sampled_from(_OFTEN), st.integers(0, NUMBERS - 1))
    return st.builds(
        _life,
        st.lists(drawn, min_size=min(30, steps_max), max_size=steps_max),
        st.booleans(),
        st.booleans(),
        st.sampled_from((0, 10)),
    )


def _life(
    drawn: Sequence[tuple[str, int]],
    is_household: bool,
    members_owe: bool,
    came_back_days: int,
) -> Life:
    telling = _Telling()
    steps: list[Step] = [Earn(member, 30 + 10 * member, member) for member in range(MEMBERS)]
    for kind, number in drawn:
        steps += telling.tell(kind, Choices(number * SPREAD % NUMBERS))
    documents = tuple(telling.documents.get(one, UNHEARD) for one in range(RECEIPTS))
    return Life(documents, tuple(telling.returns), tuple(steps), is_household, members_owe, came_back_days)
