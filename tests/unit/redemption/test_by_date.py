"""Points by their days: bounded, and none of them left out."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from services.redemption.domain.by_date import DAYS_MAX, ByDate, PointsOfDay, by_date

FIRST, SECOND = date(2026, 12, 1), date(2026, 12, 24)


def test_the_nearest_day_comes_first_and_what_has_no_day_stands_apart() -> None:
    assert by_date({SECOND: 5, None: 7, FIRST: 3}) == ByDate((PointsOfDay(FIRST, 3), PointsOfDay(SECOND, 5)), 0, 7)


@given(st.dictionaries(st.none() | st.dates(), st.integers(1, 10**9), min_size=DAYS_MAX - 2, max_size=DAYS_MAX + 20))
@settings(max_examples=20)
def test_whatever_is_found_adds_up_and_the_list_is_bounded(found: dict[date | None, int]) -> None:
    told = by_date(found)

    assert told.points == sum(found.values())
    days = [day for day, _ in told.days]
    assert days == sorted(day for day in found if day is not None)[:DAYS_MAX]
    assert all(found[day] == points for day, points in told.days)
    assert told.undated == found.get(None, 0)
