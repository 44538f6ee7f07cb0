"""Payments of partners: into a prepaid block, or against what they owe. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TopUp:
    """One payment, known for ever by the partner and the number of its document. A negative one corrects another."""

    partner_id: str
    document_number: str
    amount_minor: int
    currency: str
    booked_at: datetime
    booked_by: str

    def is_same_payment(self, other: "TopUp") -> bool:
        """Whether both say the same; when and by whom it was booked does not matter."""
        return (self.amount_minor, self.currency) == (other.amount_minor, other.currency)


@dataclass(frozen=True, slots=True)
class Paid:
    """Everything that a partner has paid."""

    amount_minor: int = 0
    currency: str | None = None
