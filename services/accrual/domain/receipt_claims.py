"""Receipts without a card: whoever has the paper can claim the points, once. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final
from uuid import UUID

from shared.events.purchases import PurchaseData
from shared.passing import PassingError

# Totals and days are few: who is wrong so often guesses.
PROOF_ATTEMPTS_MAX: Final = 5
# Why the points of a claimed receipt are pending until fraud has looked at it.
CLAIMED: Final = "receipt_claimed"


class ReceiptClaimError(Exception):
    """Why a receipt cannot be claimed."""


class NoSuchReceiptError(ReceiptClaimError):
    """The id is none of a receipt that came."""


class ReceiptNotClaimableError(ReceiptClaimError):
    """It was decided, or names somebody, or is no purchase."""


class ReceiptClaimedError(ReceiptClaimError):
    """It was claimed for another member."""


class ClaimedTooLateError(ReceiptClaimError):
    """The time in which it could be claimed is over."""


class TooManyProofsError(ReceiptClaimError):
    """Nobody can claim it any more over this route: too many were wrong about it."""


class ClaimantNotReadyError(ReceiptClaimError, PassingError):
    """The member is not known here yet, or cannot earn."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What somebody reads from the paper: the total, and the day on which it was printed, where the store is."""

    total_minor: int
    bought_on: date

    def fits(self, purchase: PurchaseData, store_zone: tzinfo) -> bool:
        """Whether the paper is of this receipt."""
        return (self.total_minor, self.bought_on) == (
            purchase.total_minor,
            purchase.occurred_at.astimezone(store_zone).date(),
        )


@dataclass(frozen=True, slots=True)
class ReceiptClaim:
    """That a receipt was claimed: for whom, by whom, when. One a receipt, for ever."""

    natural_key: bytes
    member_id: UUID
    claimed_by: str
    claimed_at: datetime


@dataclass(frozen=True, slots=True)
class ClaimTerms:
    """``window``: how long a receipt can be claimed. ``fraud_wait``: how long its points wait for fraud's word at most;
    zero: not at all.
    """

    window: timedelta
    fraud_wait: timedelta


def require_in_time(purchase: PurchaseData, now: datetime, window: timedelta) -> None:
    """Whether it may still be claimed.

    Raises:
        ClaimedTooLateError
    """
    if now - purchase.received_at > window:
        raise ClaimedTooLateError(f"a receipt without a card can be claimed within {window.days} days")
