"""What can be asked of the ledger between two living owners. Decided in ``giving``."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.ledger.bounds import require

GIFT_BASIS = "gift"


@dataclass(frozen=True, slots=True)
class Give:
    """Give available points to another living owner, first expiring first; what the receiver owes is cleared at once.

    ``points``: None is all that is available, which may be none. Refused with ``insufficient_points`` where there are
    fewer, unless ``is_partial``: then what there is goes, and the rest is the answer's ``shortfall``. Refused with
    ``same_owner`` where the two are one by now. What is reserved, pending or owed stays with the giver.

    ``spared`` are points of lots (by key) that stay with the giver, as far as they are left; others go in their place.

    Lots keep issuer and dates, so that what expires first still does. A ``gift`` is of the basis ``GIFT_BASIS`` from
    then on; of what stays behind when its owner leaves a household (``leave``) nothing changes but the owner.
    """

    owner_id: UUID
    point_type: str
    reference: bytes
    receiver_id: UUID
    purpose: Literal["gift", "leave"]
    points: int | None = None
    is_partial: bool = False
    spared: tuple[tuple[bytes, int], ...] = ()

    def __post_init__(self) -> None:
        require(1 if self.points is None else self.points, self.reference)
