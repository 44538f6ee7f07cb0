"""Which points a receipt says that it was paid with. Pure."""

from collections.abc import Iterator, Sequence
from typing import Protocol
from uuid import UUID

from shared.faults import Fault
from shared.point_types import PointTypes


class SaidTender(Protocol):
    """A tender as a document says it."""

    @property
    def kind(self) -> str: ...

    @property
    def redemption_id(self) -> UUID | None: ...

    @property
    def point_type(self) -> str | None: ...


def check_point_types(tenders: Sequence[SaidTender], types: PointTypes) -> Iterator[Fault]:
    """Types that nobody can pay with, and redemptions that would be of two."""
    said: dict[UUID, str] = {}
    for number, tender in enumerate(tenders):
        if tender.point_type is None:
            continue
        pointer = f"/tenders/{number}/point_type"
        if tender.kind != "points":
            yield Fault(pointer, "only a tender of kind points has a point type: leave it out")
        elif not types.is_spent(tender.point_type):
            yield Fault(pointer, f"nobody pays with such points: {' or '.join(types.spent_codes)}")
        elif tender.redemption_id is not None and said.setdefault(tender.redemption_id, tender.point_type) != (
            tender.point_type
        ):
            yield Fault(pointer, "a redemption is of one point type")
