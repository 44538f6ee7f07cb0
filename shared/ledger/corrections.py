"""What is put right afterwards, by people, by the calendar, by goods that come back; what tills ask is in ``commands``.

Who decided, who approved and why is the caller's business, and stands in the effect that ``reference`` names.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from shared.ledger.bounds import require
from shared.ledger.terms import LotTerms


@dataclass(frozen=True, slots=True)
class AdjustUp:
    """Give ``points`` at the programme's expense to the lot of these terms. What the owner owes is cleared from them.

    ``terms`` say who is to bear them later (``issuer``), why (``basis``, compensation for instance) and until when.
    """

    owner_id: UUID
    point_type: str
    reference: bytes
    points: int
    terms: LotTerms

    def __post_init__(self) -> None:
        require(self.points, self.reference)


@dataclass(frozen=True, slots=True)
class AdjustDown:
    """Take ``points`` of what is available, first expiring first: all of it, or refused as ``insufficient_points``.

    With ``is_partial`` it takes as much as there is, and the rest is the answer's ``shortfall``. Never makes debt.
    """

    owner_id: UUID
    point_type: str
    reference: bytes
    points: int
    is_partial: bool = False

    def __post_init__(self) -> None:
        require(self.points, self.reference)


@dataclass(frozen=True, slots=True)
class WriteOff:
    """Forgive up to ``points`` of what is owed; what was not owed any more is the answer's ``shortfall``.

    A credit may have cleared the debt since somebody decided this, so more than is owed is no error.
    """

    owner_id: UUID
    point_type: str
    reference: bytes
    points: int

    def __post_init__(self) -> None:
        require(self.points, self.reference)


@dataclass(frozen=True, slots=True)
class Expire:
    """Let all that is left in the lot of these terms lapse; an empty or unknown lot is no error and moves nothing.

    What holds reserve of it does not expire, and neither do pending points: they come back to the lot, and are there
    for the next ``Expire`` of it. Whether the lot's time is over is for the caller to say.
    """

    owner_id: UUID
    point_type: str
    reference: bytes
    terms: LotTerms

    def __post_init__(self) -> None:
        require(1, self.reference)


@dataclass(frozen=True, slots=True)
class Reinstate:
    """Give ``points`` that lapsed back, to the lot of these terms: the one that they were of, or one with new dates.

    What the owner owes is cleared from them. The caller bounds ``points`` by what lapsed less what was reinstated
    before.
    """

    owner_id: UUID
    point_type: str
    reference: bytes
    points: int
    terms: LotTerms

    def __post_init__(self) -> None:
        require(self.points, self.reference)


@dataclass(frozen=True, slots=True)
class Refund:
    """Give back ``points`` that a partner took under ``hold_id``, to their own lots with their own dates.

    What was captured last comes back first, so that afterwards the lots stand as if less had been captured. What the
    owner owes is cleared from them. All of it or refused as ``exceeds_captured``: what was captured under this id, less
    what was refunded before, is fewer points than these, or nothing because the id is unknown or another owner's.
    ``partner_id`` is the one that took them. ``came_back_expires_on`` is as for ``Void``.
    """

    owner_id: UUID
    point_type: str
    reference: bytes
    points: int
    hold_id: UUID
    partner_id: str
    came_back_expires_on: date | None = None

    def __post_init__(self) -> None:
        require(self.points, self.reference)


@dataclass(frozen=True, slots=True)
class RefundOwed:
    """Undo ``points`` of what a ``SpendLate`` that owes made the owner owe to ``partner_id``, taken as ``owed_as``.

    What is still owed of them is owed no more. What has been paid of them since is the partner's, so it gives as many
    back: in the lot of ``terms``, which it issues. What the owner owes otherwise is cleared from them. The caller
    bounds ``points`` by what was owed less what was undone before.
    """

    owner_id: UUID
    point_type: str
    reference: bytes
    points: int
    owed_as: UUID
    partner_id: str
    terms: LotTerms

    def __post_init__(self) -> None:
        require(self.points, self.reference)
        if self.terms.issuer != self.partner_id:
            raise ValueError("whoever was paid what was owed gives it back")
