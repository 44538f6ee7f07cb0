"""The programme's tree of categories, and what partners' own categories count as in it. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.coalition.domain.errors import PublishedTooLateError, TreeTooDeepError

DEPTH_MAX = 8

# Every worker knows of a mapping within this time: no two of them read one receipt's categories differently.
PUBLISHED_BEFORE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Category:
    """One category of the tree. ``path`` leads from its root down to it. It never moves: receipts were judged by it."""

    category_id: str
    name: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CategoryMapping:
    """A partner's category counts as ``category_id`` from ``in_force_from`` on; None: as itself again.

    ``version`` counts all mappings of the partner.
    """

    partner_id: str
    version: int
    partner_category: str
    category_id: str | None
    path: tuple[str, ...]
    in_force_from: datetime

    @property
    def subject(self) -> str:
        """What its events and acts bear."""
        return f"{self.partner_id}/{self.partner_category}"


@dataclass(frozen=True, slots=True)
class CategorySales:
    """What was sold of a category, less returns; ``lines`` counts both."""

    partner_category: str
    lines: int
    amount_minor: int
    last_sold_on: date


def placed(category_id: str, name: str, parent: Category | None) -> Category:
    """A new category below another, or a new root.

    Raises:
        TreeTooDeepError: it would stand more than ``DEPTH_MAX`` deep.
    """
    path = (*(parent.path if parent is not None else ()), category_id)
    if len(path) > DEPTH_MAX:
        raise TreeTooDeepError(f"the tree is at most {DEPTH_MAX} deep: put the category further up")
    return Category(category_id, name, path)


def beginning(starts_at: datetime | None, now: datetime) -> datetime:
    """From when a mapping counts; None asks for as soon as may be.

    Raises:
        PublishedTooLateError: it would count before everybody knows of it.
    """
    earliest = now + PUBLISHED_BEFORE
    if starts_at is not None and starts_at < earliest:
        raise PublishedTooLateError(
            f"a mapping is published at least {PUBLISHED_BEFORE.seconds} s before it counts: choose a later "
            "in_force_from, or leave it out"
        )
    return starts_at or earliest
