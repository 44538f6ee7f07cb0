"""The days that count: windows of whole days, and the moments at which days begin.

A day begins with its first moment in the zone: where the clock is put forward at midnight, that is the moment after the
gap; where an hour comes twice, the first of the two.
"""

import calendar
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple, assert_never

from services.accrual.domain.earning_windows import day_on
from services.accrual.domain.tiers.scheme import (
    DAYS_OF_SHORTEST_MONTH,
    MONTHS_OF,
    AnniversaryPeriods,
    CalendarPeriods,
    Period,
    RollingDays,
    RollingMonths,
)

ONE_DAY = timedelta(days=1)
# Members of one batch share their windows, but for those of anniversaries.
WINDOWS_CACHED_MAX = 4_096


class Window(NamedTuple):
    """Days from ``first`` to ``last``, both included."""

    first: date
    last: date

    @property
    def next_day(self) -> date:
        """The day after the last."""
        return self.last + ONE_DAY


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """The first moment of a day, in UTC."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def day_of(moment: datetime, zone: tzinfo) -> date:
    """The day that a moment lies in."""
    return day_on(moment, zone)


def add_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last day where it is shorter."""
    month = day.year * 12 + day.month - 1 + months
    year, month = month // 12, month % 12 + 1
    if day.day <= DAYS_OF_SHORTEST_MONTH:
        return date(year, month, day.day)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def window_on(day: date, period: Period, anchor: date) -> Window:
    """The window that counts on ``day``: the whole period that it lies in, or what has rolled up to it.

    ``anchor`` is the day of enrolment, from which anniversaries are counted (also backwards).
    """
    # Models are slow to ask whether something is an instance.
    return _window_on(day, period, anchor if type(period) is AnniversaryPeriods else day)


@lru_cache(maxsize=WINDOWS_CACHED_MAX)
def _window_on(day: date, period: Period, anchor: date) -> Window:
    match period:
        case RollingDays(days=days):
            return Window(day - timedelta(days=days - 1), day)
        case RollingMonths(months=months):
            return Window(add_months(day, -months) + ONE_DAY, day)
        case CalendarPeriods(unit=unit):
            return _counted_from(date(day.year, 1, 1), MONTHS_OF[unit], day)
        case AnniversaryPeriods(months=months):
            return _counted_from(anchor, months, day)
        case _:
            assert_never(period)


def window_before(window: Window, period: Period, anchor: date) -> Window:
    """The period that ended when this one began."""
    return window_on(window.first - ONE_DAY, period, anchor)


def window_after(window: Window, period: Period, anchor: date) -> Window:
    """The period that begins when this one ends."""
    return window_on(window.next_day, period, anchor)


def leaves_on(counted: date, period: RollingDays | RollingMonths) -> date:
    """The first day on whose window a day that was counted does not lie any more."""
    match period:
        case RollingDays(days=days):
            return counted + timedelta(days=days)
        case RollingMonths(months=months):
            day = add_months(counted, months)
            while add_months(day, -months) < counted:  # the month was shorter: the next one's first day
                day += ONE_DAY
            return day
        case _:
            assert_never(period)


def _counted_from(anchor: date, months: int, day: date) -> Window:
    number = ((day.year - anchor.year) * 12 + day.month - anchor.month) // months
    while add_months(anchor, number * months) > day:
        number -= 1
    while add_months(anchor, (number + 1) * months) <= day:
        number += 1
    return Window(add_months(anchor, number * months), add_months(anchor, (number + 1) * months) - ONE_DAY)
