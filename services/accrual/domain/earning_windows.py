"""Which days a window holds, on the clocks of the zone that it names. Pure.

What is counted of a member stands under the day of its receipt, so that every window is a run of days.
"""

from calendar import monthrange
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

MONTHS_OF_A_QUARTER = 3
# Receipts of one batch share their days.
WINDOWS_CACHED_MAX = 1_024
# A receipt asks for its day several times: several rules, its lots, its member's tier.
DAYS_CACHED_MAX = 8_192


class Days(NamedTuple):
    """From the first to the last, both included."""

    first: date
    last: date


@lru_cache(maxsize=DAYS_CACHED_MAX)
def day_on(moment: datetime, zone: tzinfo) -> date:
    """The day that a moment lies in, on the clocks of a zone."""
    return moment.astimezone(zone).date()


@lru_cache(maxsize=WINDOWS_CACHED_MAX)
def days_of(unit: str, days: int, day: date) -> Days:
    """The window that ``day`` falls into: ``unit`` and ``days`` as ``rules.needs`` names them."""
    match unit:
        case "day":
            return Days(day, day)
        case "week":
            monday = day - timedelta(days=day.weekday())
            return Days(monday, monday + timedelta(days=6))
        case "month":
            return _months(day.year, day.month, day.month)
        case "quarter":
            first = (day.month - 1) // MONTHS_OF_A_QUARTER * MONTHS_OF_A_QUARTER + 1
            return _months(day.year, first, first + MONTHS_OF_A_QUARTER - 1)
        case "year":
            return Days(date(day.year, 1, 1), date(day.year, 12, 31))
        case "rolling":
            return Days(day - timedelta(days=days - 1), day)
        case "ever":
            return Days(date.min, date.max)
        case _:
            raise ValueError(f"no window is called {unit}")


def _months(year: int, first: int, last: int) -> Days:
    return Days(date(year, first, 1), date(year, last, monthrange(year, last)[1]))
