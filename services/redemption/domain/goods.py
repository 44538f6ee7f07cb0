"""What points are to pay for, as far as points may be limited to it. Pure."""

from dataclasses import dataclass
from datetime import datetime

CATEGORIES_MAX = 200


@dataclass(frozen=True, slots=True)
class Goods:
    """Goods of one sale: when and where, and of which categories, as the partner calls them."""

    occurred_at: datetime
    store_id: str | None = None
    categories: frozenset[str] = frozenset()
