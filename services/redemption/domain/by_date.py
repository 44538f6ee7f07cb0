"""What a member has by the day on which it changes: what lapses when, and what can be spent from when. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

# Of each list: a member who shops daily would else be told of every day for years ahead.
DAYS_MAX = 60


class PointsOfDay(NamedTuple):
    """Points of one day."""

    day: date
    points: int


@dataclass(frozen=True, slots=True)
class ByDate:
    """Points by day, the nearest day first, ``DAYS_MAX`` days at most; ``later`` are those of all days after these,
    ``undated`` those that have no day.
    """

    days: tuple[PointsOfDay, ...] = ()
    later: int = 0
    undated: int = 0

    @property
    def points(self) -> int:
        """All of them."""
        return sum(day.points for day in self.days) + self.later + self.undated


def by_date(found: Mapping[date | None, int]) -> ByDate:
    """Points by their day, None being those without one, as a bounded list that leaves none of them out."""
    days = sorted(PointsOfDay(day, points) for day, points in found.items() if day is not None)
    later = sum(day.points for day in days[DAYS_MAX:])
    return ByDate(tuple(days[:DAYS_MAX]), later, found.get(None, 0))


class Dated(NamedTuple):
    """Of one point type: what is available by the first day on which it may no longer be spent (without one: it never
    expires), and what is pending by the day from which it may be spent (without one: no day is known).
    """

    available: ByDate = ByDate()
    pending: ByDate = ByDate()
