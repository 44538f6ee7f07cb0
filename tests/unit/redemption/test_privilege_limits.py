"""Within which time a privilege's uses count, and how often it may be used yet."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.redemption.domain.privileges.limits import Period, Tally, Total, began, totals_of
from tests.support.privileges import terms
from tests.support.receipts import member

ANNA = member(1)
DAY = date(2026, 3, 1)


def limited(*limits: dict[str, Any]) -> Any:
    return terms("tenth", limits=list(limits))


def used(days: dict[date, int], owner: UUID = ANNA) -> Tally:
    return Tally({(owner, "tenth"): days}, {}, {})


@pytest.mark.parametrize(
    ("period", "first", "last_before"),
    [
        ("year", date(2026, 1, 1), date(2025, 12, 31)),
        ("month", date(2026, 3, 1), date(2026, 2, 28)),
        ("day", date(2026, 3, 31), date(2026, 3, 30)),
    ],
)
def test_what_was_used_before_its_period_counts_no_more(period: Period, first: date, last_before: date) -> None:
    one = limited({"per": "member", "period": period, "uses_max": 2})
    today = date(2026, 3, 31)
    assert began(period, today) == first
    assert used({first: 1}).left(one, ANNA, today) == 1
    assert used({last_before: 1}).left(one, ANNA, today) == 2


def test_ever_has_no_end() -> None:
    one = limited({"per": "member", "uses_max": 1})
    assert used({date(1999, 1, 1): 1}).left(one, ANNA, DAY) == 0


def test_of_several_limits_the_least_that_is_left_counts() -> None:
    """Anna has used 1 of 1 today, 3 of 5 this month; others, and what is reserved, leave 1 of 10 this year."""
    day, month, year = (
        {"per": "member", "period": "day", "uses_max": 1},
        {"per": "member", "period": "month", "uses_max": 5},
        {"per": "all", "period": "year", "uses_max": 10},
    )
    totals = {Total("tenth", "year", date(2026, 1, 1)): 7, Total("tenth", "year", date(2025, 1, 1)): 9}
    reserved = {"tenth": {DAY: 2, date(2025, 12, 31): 4}}
    tally = Tally({(ANNA, "tenth"): {DAY: 1, date(2026, 3, 9): 2}}, totals, reserved)
    assert tally.left(limited(day, month, year), ANNA, DAY) == 0
    assert tally.left(limited(month), ANNA, DAY) == 2
    assert tally.left(limited(month, year), ANNA, DAY) == 1
    assert tally.left(limited(day, year), None, DAY) == 1  # nobody knows whose it is: the limits of all say something
    assert tally.left(limited(day), None, DAY) is None
    assert tally.left(limited(day), member(2), DAY) == 1


def test_a_use_more_counts_for_its_member_and_for_all() -> None:
    one = limited({"per": "member", "period": "day", "uses_max": 3}, {"per": "all", "period": "month", "uses_max": 3})
    tally = used({})
    tally.add(one, ANNA, DAY)
    tally.add(one, None, DAY)
    assert tally.left(one, ANNA, DAY) == 1
    assert tally.left(limited({"per": "member", "period": "day", "uses_max": 3}), ANNA, DAY) == 2
    assert totals_of(one, DAY) == [Total("tenth", "month", date(2026, 3, 1))]
