"""What accounts, lots, holds and transfers are: as rows that were read, and as the commands so far leave them."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from shared.ledger.legs import Legs
from shared.ledger.terms import LotTerms

HoldState: TypeAlias = Literal["open", "captured", "voided", "expired"]

# The owner's id as a number, and the point type: hashing a UUID costs ten times as much as hashing its number.
AccountKey: TypeAlias = tuple[int, str]


class AccountName(NamedTuple):
    """Whose account of which type, for whoever asks nothing of it yet."""

    owner_id: UUID
    point_type: str


class Balances(NamedTuple):
    """An owner's points of one type: to spend, reserved, earned but not yet to be spent, and owed. None is negative."""

    available: int = 0
    held: int = 0
    pending: int = 0
    debt: int = 0


class Account(NamedTuple):
    """An account's row, read under its lock."""

    account_id: int
    available: int = 0
    held: int = 0
    pending: int = 0
    debt: int = 0


class StoredLot(NamedTuple):
    """A lot's row. ``remaining`` leaves out what is ``reserved``; ``award`` names the award of a pending lot."""

    account_id: int
    lot_key: bytes
    award: bytes | None
    terms: LotTerms
    remaining: int
    reserved: int


class StoredPart(NamedTuple):
    """What a hold takes from one lot."""

    lot: StoredLot
    reserved: int
    captured: int
    refunded: int = 0


class StoredHold(NamedTuple):
    """A hold's row, with its parts."""

    hold_id: UUID
    account_id: int
    reserved: int
    captured: int
    parts: tuple[StoredPart, ...]
    state: HoldState = "open"


class Lapsed(NamedTuple):
    """Points of a lot that lapsed in passing, when something else moved points of the account."""

    account_id: int
    lot_key: bytes
    points: int


class Transfer(NamedTuple):
    """One append-only row. The lots are those on the owner's legs; a leg on ``debt`` or on a partner has none.
    ``partner_id`` is the partner on a leg; where debt is cleared, forgiven or handed over, whose claw-back it is of.

    Both legs are on ``account_id``, but between owners: then the credit is on ``credit_account_id``.
    """

    account_id: int
    legs: Legs
    partner_id: str | None
    points: int
    reference: bytes
    debit_lot: bytes | None
    credit_lot: bytes | None
    hold_id: UUID | None
    credit_account_id: int | None = None


@dataclass(slots=True)
class Lot:
    """A lot as the commands so far leave it. Where it was not read, the amounts count from zero: they are changes."""

    account_id: int
    key: bytes
    award: bytes | None
    terms: LotTerms
    remaining: int = 0
    reserved: int = 0
    stored: StoredLot | None = None

    @property
    def turn(self) -> tuple[int, bytes]:
        """Its place in the order of spending: the most limited first, then first expiring first."""
        limits = self.terms.limits
        return (0 if limits is None else -limits.narrowness, self.key)


@dataclass(slots=True)
class HoldPart:
    """What a hold takes from one lot, as the commands so far leave it. ``refunded`` is of what was ``captured``."""

    lot: Lot
    reserved: int
    captured: int = 0
    refunded: int = 0


@dataclass(slots=True)
class Hold:
    """A hold as the commands so far leave it; parts in the order of spending."""

    hold_id: UUID
    account_id: int
    parts: tuple[HoldPart, ...]
    reserved: int
    captured: int = 0
    state: HoldState = "open"
    is_stored: bool = False
    is_changed: bool = False
