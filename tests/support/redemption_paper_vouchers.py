"""Vouchers as a person would keep them on paper: who has which, what is left of each reward, and what comes back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared import ledger
from shared.ledger import Basket, Posted
from tests.support import redemption_steps as life
from tests.support import redemption_voucher_steps as wish
from tests.support.redemption_names import POINTS, Names
from tests.support.redemption_paper_returns import PaperReturns

_CLOSED = ("used", "cancelled", "expired", "returned")


@dataclass
class PaperVoucher:
    """One piece that a member has; ``ends``: what is reserved lapses, what is issued counts no more. ``is_shown``:
    somebody was told its code."""

    member: int
    offer: wish.Offer
    state: str
    ends: datetime
    paid_minor: int = 0
    receipt: tuple[str, int] | None = None
    has_code: bool = True
    is_shown: bool = False

    def show(self) -> str:
        """What a client is told; the code of what is only reserved is shown to nobody."""
        self.is_shown = self.is_shown or (self.has_code and self.state != "reserved")
        return self.state


class PaperVouchers(PaperReturns):
    """What is reserved and taken, what came back, and what members have of rewards. ``left``: of those limited."""

    def __init__(self, lived: life.Life, names: Names, now: datetime) -> None:
        super().__init__(lived, names, now)
        self.began = now
        self.vouchers: dict[int, PaperVoucher] = {}
        self.left = {one.name: one.pieces for one in wish.OFFERS if one.pieces is not None}

    def issue(self, step: wish.Issue) -> str:
        """One by its id; refused, the id is free."""
        offer = wish.OFFERS[step.offer]
        if (found := self.vouchers.get(step.voucher)) is not None:
            return found.show() if (found.member, found.offer) == (step.member, offer) else "voucher-id-taken"
        if offer.ends_after is not None and self.now >= self.began + offer.ends_after:
            return "reward-not-offered-any-more"
        had = [one for one in self.vouchers.values() if (one.member, one.offer) == (step.member, offer)]
        counting = [one for one in had if one.state not in ("cancelled", "expired", "returned")]
        if offer.per_member_max is not None and len(counting) >= offer.per_member_max:
            return "reward-limit-reached"
        if self.left.get(offer.name, 1) == 0:
            return "sold-out"
        owner_id, basket = self.names.members[step.member], Basket(offer.partner, self.now.date())
        there = self.usable(step.member, basket)
        if there < offer.points:
            owes = self.ledger.owners[owner_id, POINTS].balance.debt > 0
            return "debt-outstanding" if owes else f"insufficient-points {there}"
        voucher_id = self.names.vouchers[step.voucher]
        self.post(ledger.Reserve(owner_id, POINTS, b"issue", offer.points, voucher_id, basket))
        if offer.pieces is not None:
            self.left[offer.name] -= 1
        is_kept = step.is_kept or offer.money_minor > 0
        state, ends = ("reserved", self.now + wish.RESERVED_FOR) if is_kept else ("issued", self._end_of(offer))
        self.vouchers[step.voucher] = PaperVoucher(step.member, offer, state, ends)
        self._tell(state.capitalize(), step.voucher)
        return self.vouchers[step.voucher].show()

    def _end_of(self, offer: wish.Offer) -> datetime:
        ends = self.now + timedelta(days=offer.valid_days)
        return ends if offer.ends_after is None else min(ends, self.began + offer.ends_after)

    def confirm(self, step: wish.Confirm) -> str:
        """What is reserved is issued once just what it costs was paid."""
        found = self.vouchers.get(step.voucher)
        if found is None:
            return "unknown-voucher"
        if step.paid_minor != found.offer.money_minor:
            return "other-amount"
        if found.state in ("cancelled", "expired"):
            return f"voucher-{found.state}"
        if found.state != "reserved":
            return found.show()
        ends = self._end_of(found.offer)
        if ends <= self.now:
            return "voucher-expired"
        found.state, found.ends, found.paid_minor = "issued", ends, step.paid_minor
        self._tell("Issued", step.voucher)
        return found.show()

    def deliver(self, step: wish.Deliver) -> str:
        """Once; of what counts."""
        found = self.vouchers.get(step.voucher)
        if found is None:
            return "unknown-voucher"
        if found.state != "delivered":
            if (why_not := self._why_not_usable(found)) is not None:
                return why_not
            found.state = "delivered"
            self.told.append(("RewardDelivered", step.voucher, found.offer.points))
        return "delivered"

    def _why_not_usable(self, found: PaperVoucher) -> str | None:
        if found.state in (*_CLOSED, "reserved"):
            return f"voucher-{found.state}"
        return "voucher-expired" if found.ends <= self.now else None

    def use(self, step: wish.Use) -> str:
        """For one receipt, at its partner: its points are spent there."""
        found = self.vouchers.get(step.voucher)
        if found is None or not found.is_shown:
            return "unknown-voucher"
        if found.offer.partner != step.partner:
            return "other-partners-voucher"
        receipt = (step.partner, step.receipt)
        if (found.state, found.receipt) == ("used", receipt):
            return "used"
        if (why_not := self._why_not_usable(found)) is not None:
            return why_not
        if step.partner == "grocer" and step.receipt in self.voided:
            return "receipt-voided"
        owner_id, voucher_id = self.names.members[found.member], self.names.vouchers[step.voucher]
        spent = self.post(ledger.Capture(owner_id, POINTS, b"use", found.offer.points, voucher_id, step.partner))
        found.state, found.receipt = "used", receipt
        self._tell("Used", step.voucher, receipt, spent.issuers)
        return "used"

    def cancel(self, step: wish.Cancel) -> str:
        """Its points and its piece go back; also after its time, as long as nobody has closed it."""
        found = self.vouchers.get(step.voucher)
        if found is None:
            return "unknown-voucher"
        if found.state in ("used", "expired", "returned"):
            return f"voucher-{found.state}"
        if found.state != "cancelled":
            given = self._close_voucher(step.voucher, "void")
            found.state = "cancelled"
            self._tell("Cancelled", step.voucher, given.debt_cleared, found.paid_minor, "asked")
        return "cancelled"

    def _close_voucher(self, voucher: int, purpose: Any) -> Posted:
        found = self.vouchers[voucher]
        owner_id, voucher_id = self._owner_and_id(voucher)
        if not found.offer.is_by_codes:
            self._put_back(found.offer)
        elif found.state == "reserved":  # a code that nobody has seen may be another's
            self._put_back(found.offer)
            found.has_code = False
        return self.post(ledger.Void(owner_id, POINTS, b"close", voucher_id, purpose, self.until))

    def _put_back(self, offer: wish.Offer) -> None:
        if offer.pieces is not None:
            self.left[offer.name] += 1

    def _owner_and_id(self, voucher: int) -> tuple[UUID, UUID]:
        return self.names.members[self.vouchers[voucher].member], self.names.vouchers[voucher]

    def vouchers_due_to_end(self) -> list[int]:
        """Whose time is over, or whose reservation's, oldest first."""
        due = [(one.ends, number) for number, one in self.vouchers.items() if one.state not in _CLOSED]
        return [number for ends, number in sorted(due) if ends <= self.now]

    def expire_vouchers(self, _step: wish.ExpireVouchers) -> str:
        due = [voucher for voucher in self.vouchers_due_to_end() if voucher not in self.passed_over]
        for voucher in due:
            found = self.vouchers[voucher]
            why = "reservation_lapsed" if found.state == "reserved" else None
            given = self._close_voucher(voucher, "expire")
            found.state = "expired"
            self._tell("Expired", voucher, given.debt_cleared, found.paid_minor, why)
        return f"expired {len(due)}"

    def give_vouchers_back(self, step: wish.GiveBack) -> str:
        """Of a receipt that was voided: what it had used goes back, unless what was done stays done."""
        if step.receipt not in self.voided:
            return "returned 0"
        returned = [
            voucher
            for voucher, one in self.vouchers.items()
            if (one.state, one.receipt) == ("used", ("grocer", step.receipt)) and one.offer.comes_back
        ]
        for voucher in sorted(returned, key=self.names.vouchers.__getitem__):
            found, (owner_id, voucher_id) = self.vouchers[voucher], self._owner_and_id(voucher)
            key, points = self.names.void_keys[step.receipt], found.offer.points
            refund = ledger.Refund(owner_id, POINTS, key, points, voucher_id, "grocer", self.until)
            given = self.post(refund)
            found.state = "returned"
            if not found.offer.is_by_codes:
                self._put_back(found.offer)
            figures = (found.receipt, given.debt_cleared, found.paid_minor, given.issuers)
            self._tell("Returned", voucher, *figures)
        return f"returned {len(returned)}"

    def _tell(self, what: str, voucher: int, *figures: Any) -> None:
        """With what the member has by now."""
        found = self.vouchers[voucher]
        available = self.ledger.owners[self.names.members[found.member], POINTS].balance.available
        self.told.append((f"Reward{what}", voucher, found.offer.points, available, *figures))
