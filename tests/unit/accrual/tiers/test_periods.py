"""Which days count on a day, and when a day begins: month ends, 29 February, changes of the clock."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from services.accrual.domain.tiers.periods import (
    Window,
    add_months,
    leaves_on,
    start_of_day,
    window_after,
    window_before,
    window_on,
)
from services.accrual.domain.tiers.scheme import (
    AnniversaryPeriods,
    CalendarPeriods,
    Period,
    RollingDays,
    RollingMonths,
)

YEAR = CalendarPeriods(unit="year")
A_MONTH, A_YEAR = RollingMonths(months=1), RollingMonths(months=12)
YEARS, QUARTERS = AnniversaryPeriods(), AnniversaryPeriods(months=3)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("period", "on", "first", "last"),
    [
        (YEAR, "2028-02-29", "2028-01-01", "2028-12-31"),
        (CalendarPeriods(unit="half"), "2026-06-30", "2026-01-01", "2026-06-30"),
        (CalendarPeriods(unit="half"), "2026-07-01", "2026-07-01", "2026-12-31"),
        (CalendarPeriods(unit="quarter"), "2026-03-31", "2026-01-01", "2026-03-31"),
        (CalendarPeriods(unit="month"), "2028-02-10", "2028-02-01", "2028-02-29"),
        (RollingDays(days=1), "2026-03-01", "2026-03-01", "2026-03-01"),
        (RollingDays(days=365), "2028-12-31", "2028-01-02", "2028-12-31"),  # 2028 has 366
        (A_MONTH, "2026-03-31", "2026-03-01", "2026-03-31"),  # a month before 31 March is 28 February
        (A_MONTH, "2026-03-28", "2026-03-01", "2026-03-28"),
        (A_MONTH, "2026-03-27", "2026-02-28", "2026-03-27"),
        (A_YEAR, "2028-02-29", "2027-03-01", "2028-02-29"),
    ],
)
def test_the_days_that_count(period: Period, on: str, first: str, last: str) -> None:
    assert window_on(day(on), period, day("2020-01-01")) == Window(day(first), day(last))


@pytest.mark.parametrize(
    ("enrolled", "period", "on", "first", "last"),
    [
        ("2024-02-29", YEARS, "2025-02-27", "2024-02-29", "2025-02-27"),
        ("2024-02-29", YEARS, "2025-02-28", "2025-02-28", "2026-02-27"),  # no 29 February: on the 28th
        ("2024-02-29", YEARS, "2028-02-28", "2027-02-28", "2028-02-28"),
        ("2024-02-29", YEARS, "2028-02-29", "2028-02-29", "2029-02-27"),  # and on the 29th again where there is one
        ("2025-11-30", QUARTERS, "2026-02-28", "2026-02-28", "2026-05-29"),
        ("2025-11-30", QUARTERS, "2026-02-27", "2025-11-30", "2026-02-27"),
        ("2026-05-10", YEARS, "2026-05-09", "2025-05-10", "2026-05-09"),  # bought before the card was registered
    ],
)
def test_anniversaries(enrolled: str, period: Period, on: str, first: str, last: str) -> None:
    window = window_on(day(on), period, day(enrolled))

    assert window == Window(day(first), day(last))
    assert window_before(window, period, day(enrolled)).last == day(first) - (day("2026-01-02") - day("2026-01-01"))
    assert window_after(window, period, day(enrolled)).first == window.next_day


@pytest.mark.parametrize(
    ("counted", "period", "leaves"),
    [
        ("2026-01-31", A_MONTH, "2026-03-01"),  # 28 February looks back to 29 January only
        ("2026-02-28", A_MONTH, "2026-03-28"),
        ("2026-03-31", A_MONTH, "2026-05-01"),
        ("2028-02-29", A_YEAR, "2029-03-01"),
        ("2026-01-31", RollingDays(days=28), "2026-02-28"),
    ],
)
def test_when_a_day_counts_no_more(counted: str, period: RollingDays | RollingMonths, leaves: str) -> None:
    assert leaves_on(day(counted), period) == day(leaves)
    assert window_on(day(leaves), period, day(counted)).first > day(counted)
    before = add_months(day(leaves), 0) - (day("2026-01-02") - day("2026-01-01"))
    assert window_on(before, period, day(counted)).first <= day(counted)


@pytest.mark.parametrize(
    ("zone", "on", "begins"),
    [
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00+00:00"),  # the day of 23 hours
        ("Europe/Berlin", "2026-03-30", "2026-03-29T22:00+00:00"),
        ("Europe/Berlin", "2026-10-26", "2026-10-25T23:00+00:00"),  # after the day of 25 hours
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00+00:00"),  # midnight does not exist: 23:59:59, then 01:00
        ("America/Havana", "2026-11-01", "2026-11-01T04:00+00:00"),  # midnight comes twice: the first
        ("Asia/Kathmandu", "2026-01-01", "2025-12-31T18:15+00:00"),
    ],
)
def test_when_a_day_begins(zone: str, on: str, begins: str) -> None:
    assert start_of_day(day(on), ZoneInfo(zone)) == datetime.fromisoformat(begins)
