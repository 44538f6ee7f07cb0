"""A voucher: one piece of a reward that a member has, and what became of it. While it is open its points are reserved.

Its row is where everything that concerns it meets, keyed by the voucher's id: of those who would use, cancel or expire
it exactly one wins. Pure.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.redemption.domain.rewards.errors import VoucherCancelledError, VoucherExpiredError


class VoucherState(StrEnum):
    """Where a voucher stands. While it is open its points are reserved, and its code counts."""

    ISSUED = "issued"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


OPEN = frozenset({VoucherState.ISSUED})


@dataclass(frozen=True, slots=True)
class Voucher:
    """``points`` of ``point_type`` are what the member gives for it, as the reward's ``reward_version`` says.

    ``client_id`` asked for it. ``closed_at`` is when it was cancelled or expired, ``closed_by`` who cancelled it, and
    ``reason_code`` why.
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
    closed_at: datetime | None = None
    closed_by: str | None = None
    reason_code: str | None = None

    @property
    def reference(self) -> bytes:
        """What the ledger's transfers bear."""
        return self.voucher_id.bytes

    def cancelled(self, now: datetime, author: str, reason_code: str) -> "Voucher":
        """The voucher once somebody cancelled it, whose points go back. One that was cancelled stays as it is.

        Raises:
            VoucherExpiredError: its points went back before.
        """
        if self.state is VoucherState.CANCELLED:
            return self
        self.require_open()
        return replace(self, state=VoucherState.CANCELLED, closed_at=now, closed_by=author, reason_code=reason_code)

    def expired(self, now: datetime) -> "Voucher":
        """The voucher once its time was over, whose points go back; it is open."""
        return replace(self, state=VoucherState.EXPIRED, closed_at=now)

    def require_open(self) -> None:
        """Whether it still stands for its reward.

        Raises:
            VoucherCancelledError, VoucherExpiredError
        """
        if self.state is VoucherState.CANCELLED:
            raise VoucherCancelledError
        if self.state is VoucherState.EXPIRED:
            raise VoucherExpiredError(self.expires_at)
