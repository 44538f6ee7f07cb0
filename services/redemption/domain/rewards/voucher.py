"""A voucher: one piece of a reward that a member has, and what became of it. While it is open its points are reserved.

Its row is where everything that concerns it meets, keyed by the voucher's id: of those who would use, cancel or expire
it exactly one wins. Pure.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.redemption.domain.rewards.errors import (
    OtherAmountError,
    OtherPartnersVoucherError,
    OtherStoreError,
    VoucherCancelledError,
    VoucherExpiredError,
    VoucherReservedError,
    VoucherReturnedError,
    VoucherUsedError,
)
from services.redemption.domain.rewards.reward import RewardTerms


class VoucherState(StrEnum):
    """Where a voucher stands. Issued or delivered it is open: its points are reserved, and its code counts. Reserved,
    its points are too, and nobody has its code yet. Returned, it had been used, and the receipt was voided.
    """

    RESERVED = "reserved"
    ISSUED = "issued"
    DELIVERED = "delivered"
    USED = "used"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Voucher:
    """``points`` of ``point_type`` are what the member gives for it, as the reward's ``reward_version`` says;
    ``money_minor`` is what it costs beside them, ``paid_minor`` what of that was paid.

    Until ``expires_at`` it stands: while it is reserved until the reservation lapses, then until its time is over.
    ``client_id`` asked for it. ``delivered_at`` is when the member had got its code, by ``channel``. ``closed_at`` is
    when it was used, cancelled or expired, ``closed_by`` who used or cancelled it, ``reason_code`` why it was
    cancelled, ``receipt_key`` for which receipt it was used. ``returned_at`` is when it came back, for the document
    ``undone_by`` with ``undone_hash``; ``closed_at`` still says when it was used.
    """

    voucher_id: UUID
    reward_id: str
    reward_version: int
    member_id: UUID
    partner_id: str
    point_type: str
    points: int
    state: VoucherState
    issued_at: datetime
    expires_at: datetime
    client_id: str
    money_minor: int = 0
    paid_minor: int = 0
    closed_at: datetime | None = None
    closed_by: str | None = None
    reason_code: str | None = None
    delivered_at: datetime | None = None
    channel: str | None = None
    receipt_key: bytes | None = None
    returned_at: datetime | None = None
    undone_by: bytes | None = None
    undone_hash: str | None = None

    @property
    def reference(self) -> bytes:
        """What the ledger's transfers bear, but of its use."""
        return self.voucher_id.bytes

    def confirmed(self, paid_minor: int, now: datetime, expires_at: datetime) -> "Voucher":
        """The voucher once what it costs was paid. One that was issued before stays as it is.

        Also after the reservation's end, as long as nobody has let it go: the money is there. Not where it would count
        no more from the start (``expires_at``): nobody could use what was paid for.

        Raises:
            OtherAmountError: it costs another amount.
            VoucherCancelledError, VoucherExpiredError
        """
        if paid_minor != self.money_minor:
            raise OtherAmountError(self.money_minor)
        if self.state in (VoucherState.CANCELLED, VoucherState.EXPIRED):
            self.require_open()
        if self.state is not VoucherState.RESERVED:
            return self
        if now >= expires_at:
            raise VoucherExpiredError(expires_at)
        return replace(self, state=VoucherState.ISSUED, paid_minor=paid_minor, expires_at=expires_at)

    def delivered(self, now: datetime, channel: str) -> "Voucher":
        """The voucher once its member has its code. One that was delivered stays as it is.

        A voucher whose time is over is refused, whether it has been closed yet or not.

        Raises:
            VoucherUsedError, VoucherCancelledError, VoucherExpiredError
        """
        if self.state is VoucherState.DELIVERED:
            return self
        self.require_usable(now)
        return replace(self, state=VoucherState.DELIVERED, delivered_at=now, channel=channel)

    def used(self, now: datetime, author: str, receipt_key: bytes) -> "Voucher":
        """The voucher once it was used for a receipt. One that was used for this receipt stays as it is.

        A voucher whose time is over is refused, whether it has been closed yet or not.

        Raises:
            VoucherUsedError, VoucherCancelledError, VoucherExpiredError
        """
        if self.state is VoucherState.USED and self.receipt_key == receipt_key:
            return self
        self.require_usable(now)
        return replace(self, state=VoucherState.USED, closed_at=now, closed_by=author, receipt_key=receipt_key)

    def returned(self, now: datetime, undone_by: bytes, undone_hash: str) -> "Voucher":
        """The voucher, which is used, once its receipt was voided: its points go back, and it counts no more."""
        return replace(self, state=VoucherState.RETURNED, returned_at=now, undone_by=undone_by, undone_hash=undone_hash)

    def cancelled(self, now: datetime, author: str, reason_code: str) -> "Voucher":
        """The voucher once somebody cancelled it, whose points go back. One that was cancelled stays as it is.

        Raises:
            VoucherUsedError: its points are spent.
            VoucherExpiredError, VoucherReturnedError: its points went back before.
        """
        if self.state is VoucherState.CANCELLED:
            return self
        if self.state is not VoucherState.RESERVED:
            self.require_open()
        return replace(self, state=VoucherState.CANCELLED, closed_at=now, closed_by=author, reason_code=reason_code)

    def expired(self, now: datetime) -> "Voucher":
        """The voucher once its time, or its reservation's, was over, whose points go back; it is not closed."""
        reason = "reservation_lapsed" if self.state is VoucherState.RESERVED else None
        return replace(self, state=VoucherState.EXPIRED, closed_at=now, reason_code=reason)

    def require_at(self, partner_id: str, store_id: str | None, terms: RewardTerms) -> None:
        """Whether this is where it may be used; ``terms`` are what its reward said when it was issued.

        Raises:
            OtherPartnersVoucherError, OtherStoreError
        """
        if self.partner_id != partner_id:
            raise OtherPartnersVoucherError
        if terms.stores is not None and store_id not in terms.stores:
            raise OtherStoreError(terms.stores)

    def require_usable(self, now: datetime) -> None:
        """Whether it may be used now.

        Raises:
            VoucherUsedError, VoucherCancelledError, VoucherExpiredError
        """
        self.require_open()
        if now >= self.expires_at:
            raise VoucherExpiredError(self.expires_at)

    def require_open(self) -> None:
        """Whether it still stands for its reward, and has been issued.

        Raises:
            VoucherUsedError, VoucherCancelledError, VoucherExpiredError, VoucherReservedError, VoucherReturnedError
        """
        if self.state is VoucherState.RETURNED:
            raise VoucherReturnedError
        if self.state is VoucherState.RESERVED:
            raise VoucherReservedError
        if self.state is VoucherState.CANCELLED:
            raise VoucherCancelledError
        if self.state is VoucherState.EXPIRED:
            raise VoucherExpiredError(self.expires_at)
        if self.state is VoucherState.USED:
            raise VoucherUsedError
