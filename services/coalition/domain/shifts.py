"""What arrived of a till's shift, what the till says of it, and where the two differ. Pure.

A till that counts its receipts within a shift leaves a gap where one never came. Only such tills (key scheme
``sequence``) are looked at: the others' numbers say nothing of a day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple, TypeAlias

from shared.events.purchases import CorrectionData, ExchangeData, PurchaseData, ReceiptData, ReturnData
from shared.receipt_key import SequenceKey, decode_receipt_key, natural_key_of

# Far beyond any receipt, and small enough that sums of a shift stay numbers that the database can hold.
TOTAL_MINOR_MAX = 10**12


class ImplausibleTotalError(ValueError):
    """No till takes as much for one receipt."""


class ShiftName(NamedTuple):
    """One shift of one till, in the order in which shifts are listed."""

    partner_id: str
    business_date: date
    store_id: str
    till_id: str
    shift: int


class Sale(NamedTuple):
    """What one line was paid for, by the partner's own category of it, if it bears one, and its own number."""

    partner_category: str | None
    sku: str
    amount_minor: int


class Arrival(NamedTuple):
    """One receipt that came. Its sums are below zero for a return, and may be for an exchange; a training receipt only
    fills its number, and a correction counts as a document and sells nothing: what it is about was counted when that
    came.
    """

    shift: ShiftName
    number: int
    total_minor: int
    is_training: bool
    sales: tuple["Sale", ...] = ()


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came of a shift: how many documents (training aside), their sum, and the least and highest number."""

    count: int = 0
    total_minor: int = 0
    first_number: int | None = None
    last_number: int | None = None
    last_arrived_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """What the till says at the end of a shift. Without documents it has no numbers. Returns lower the total."""

    count: int
    total_minor: int
    first_number: int | None
    last_number: int | None


@dataclass(frozen=True, slots=True)
class MissingNumbers:
    """A run of numbers that never came, both ends included."""

    first: int
    last: int

    @property
    def count(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class ShiftReport:
    """One shift: what came, what was stated (None: not closed yet), and which numbers are missing.

    ``missing`` are the first runs only where there are very many; ``missing_count`` counts all.
    """

    name: ShiftName
    arrived: Arrived
    stated: Stated | None
    missing: tuple[MissingNumbers, ...]
    missing_count: int


Difference: TypeAlias = Literal["count", "total_minor", "last_number", "missing_numbers"]


def arrival_of(receipt: ReceiptData) -> Arrival | None:
    """What one receipt says of its shift; None where its till does not count within shifts.

    Raises:
        MalformedReceiptIdError: it names no receipt.
        ImplausibleTotalError: its total is no till's.
    """
    partner_id, key = decode_receipt_key(natural_key_of(receipt.receipt_id))
    if not isinstance(key, SequenceKey):
        return None
    lines = receipt.lines if isinstance(receipt, PurchaseData | ReturnData | ExchangeData | CorrectionData) else ()
    back = receipt.returned_lines if isinstance(receipt, ExchangeData) else ()
    if max(map(abs, (receipt.total_minor, *(line.amount_minor for line in (*lines, *back))))) > TOTAL_MINOR_MAX:
        raise ImplausibleTotalError(f"a receipt's total is at most {TOTAL_MINOR_MAX} minor units")
    name = ShiftName(partner_id, key.business_date, key.store_id, key.till_id, key.shift)
    if isinstance(receipt, CorrectionData):
        return Arrival(name, key.number, 0, receipt.is_training)
    sign = 1 if isinstance(receipt, PurchaseData | ExchangeData) else -1
    sales = tuple([Sale(line.category, line.sku, sign * line.amount_minor) for line in lines])
    if back:
        sales += tuple([Sale(line.category, line.sku, -line.amount_minor) for line in back])
    return Arrival(name, key.number, sign * receipt.total_minor, receipt.is_training, sales)


def first_of_each_number(arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Each number of a shift once, as it came first: whatever comes under it later is a repetition or a conflict."""
    first: dict[tuple[ShiftName, int], Arrival] = {}
    for arrival in arrivals:
        first.setdefault((arrival.shift, arrival.number), arrival)
    return list(first.values())


def stated_of(count: int, total_minor: int, first_number: int | None, last_number: int | None) -> Stated:
    """What a till states. Where it does not say its first number, its documents are taken to be consecutive."""
    if first_number is None and last_number is not None:
        first_number = max(0, last_number - count + 1)
    return Stated(count, total_minor, first_number, last_number)


def differences_of(report: ShiftReport) -> Sequence[Difference]:
    """In what the till's statement and what arrived differ; nothing where the shift is not closed."""
    stated, arrived = report.stated, report.arrived
    if stated is None:
        return ()
    found: list[Difference] = []
    if stated.count != arrived.count:
        found.append("count")
    if stated.total_minor != arrived.total_minor:
        found.append("total_minor")
    if stated.last_number != arrived.last_number:
        found.append("last_number")
    if report.missing_count:
        found.append("missing_numbers")
    return found
