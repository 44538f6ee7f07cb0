"""What a till wants to reserve, before there is a time at which it is looked at."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.redemption.domain.confirming import Clearance
from services.redemption.domain.holding import HoldRequest


@dataclass(frozen=True, slots=True)
class HoldWish:
    """As ``HoldRequest`` has it; the points stay reserved for ``lives_for``."""

    partner_id: str
    points: int
    lives_for: timedelta
    store_id: str | None = None
    categories: frozenset[str] = frozenset()
    point_type: str | None = None
    quote_id: UUID | None = None
    is_taken_in_parts: bool = False

    def request(self, now: datetime, clearance: Clearance | None) -> HoldRequest:
        """The same at this time, let go by this."""
        return HoldRequest(
            self.partner_id,
            self.points,
            now + self.lives_for,
            self.store_id,
            self.categories,
            self.point_type,
            self.quote_id,
            self.is_taken_in_parts,
            clearance,
        )
