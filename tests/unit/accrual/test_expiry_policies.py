"""How long points last, worked out by hand. The second day is the first on which they may no longer be spent."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.accrual.domain.decisions import Awarded
from services.accrual.domain.evaluation import evaluate_purchase
from services.accrual.domain.rules.expiry import CalendarExpiry, NeverExpires, RollingExpiry, expires_on
from services.accrual.use_cases.save_decisions import lot_terms
from tests.support.accrual import PROGRAMME
from tests.support.receipts import RULES, changed_rules, document, member, purchase


@pytest.mark.parametrize(
    ("policy", "earned_on", "gone_on"),
    [
        (NeverExpires(), date(2026, 11, 1), None),
        # Days: the day of earning counts, so 1 day is that day alone.
        (RollingExpiry(days=1), date(2026, 11, 1), date(2026, 11, 2)),
        (RollingExpiry(days=365), date(2026, 11, 1), date(2027, 11, 1)),
        (RollingExpiry(days=365), date(2027, 11, 1), date(2028, 10, 31)),  # 29 February 2028 lies between
        # Months: the same day of a later month, or all of a month that has no such day.
        (RollingExpiry(months=12), date(2026, 11, 1), date(2027, 11, 1)),
        (RollingExpiry(months=1), date(2026, 1, 31), date(2026, 3, 1)),
        (RollingExpiry(months=1), date(2028, 1, 30), date(2028, 3, 1)),
        (RollingExpiry(months=12), date(2024, 2, 29), date(2025, 3, 1)),
        (RollingExpiry(months=48), date(2024, 2, 29), date(2028, 2, 29)),
        (RollingExpiry(months=1), date(2026, 12, 31), date(2027, 1, 31)),
        (RollingExpiry(months=2), date(2026, 12, 31), date(2027, 3, 1)),
        # Rounded: the last day of 30 days from 1 November is the 30th, and that month is over with December.
        (RollingExpiry(days=30, until_end_of="month"), date(2026, 11, 1), date(2026, 12, 1)),
        (RollingExpiry(days=31, until_end_of="month"), date(2026, 11, 1), date(2027, 1, 1)),
        (RollingExpiry(months=12, until_end_of="month"), date(2026, 11, 15), date(2027, 12, 1)),
        (RollingExpiry(months=12, until_end_of="month"), date(2026, 11, 1), date(2027, 11, 1)),
        (RollingExpiry(months=3, until_end_of="quarter"), date(2026, 11, 15), date(2027, 4, 1)),
        (RollingExpiry(months=3, until_end_of="quarter"), date(2026, 10, 1), date(2027, 1, 1)),
        (RollingExpiry(months=24, until_end_of="year"), date(2026, 2, 28), date(2029, 1, 1)),
        (RollingExpiry(days=1, until_end_of="year"), date(2026, 12, 31), date(2027, 1, 1)),
        # A day of the year: all that was earned until then, and what is too young a year later.
        (CalendarExpiry(month=12, day=31), date(2026, 1, 1), date(2027, 1, 1)),
        (CalendarExpiry(month=12, day=31), date(2026, 12, 31), date(2027, 1, 1)),
        (CalendarExpiry(month=12, day=31, days_min=90), date(2026, 10, 3), date(2027, 1, 1)),  # 90 days
        (CalendarExpiry(month=12, day=31, days_min=90), date(2026, 10, 4), date(2028, 1, 1)),  # 89 days
        (CalendarExpiry(month=6, day=30), date(2026, 7, 1), date(2027, 7, 1)),
        (CalendarExpiry(month=2, day=29), date(2026, 3, 1), date(2027, 3, 1)),
        (CalendarExpiry(month=2, day=29), date(2027, 12, 1), date(2028, 3, 1)),
        (CalendarExpiry(month=12, day=31, days_min=800), date(2026, 12, 1), date(2030, 1, 1)),
    ],
)
def test_worked_example(
    policy: NeverExpires | RollingExpiry | CalendarExpiry, earned_on: date, gone_on: date | None
) -> None:
    assert expires_on(policy, earned_on) == gone_on


def test_the_day_of_earning_is_the_programmes_whatever_the_clocks_do() -> None:
    """In New York the clocks go back on 1 November 2026, and 04:30 UTC is half past midnight there; 03:59 is not."""
    zone, policy = ZoneInfo("America/New_York"), RollingExpiry(days=1)
    earned = [datetime(2026, 11, 1, hour, minute, tzinfo=UTC) for hour, minute in ((3, 59), (4, 30))]
    earned.append(datetime(2026, 11, 2, 4, 59, tzinfo=UTC))  # 23:59 of a day of 25 hours
    days = [expires_on(policy, moment.astimezone(zone).date()) for moment in earned]
    assert days == [date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 2)]


POLICIES = st.one_of(
    st.builds(
        RollingExpiry,
        days=st.integers(1, 3_660),
        until_end_of=st.sampled_from([None, "month", "quarter", "year"]),
    ),
    st.builds(
        RollingExpiry,
        months=st.integers(1, 120),
        until_end_of=st.sampled_from([None, "month", "quarter", "year"]),
    ),
    st.builds(CalendarExpiry, month=st.integers(1, 12), day=st.integers(1, 28), days_min=st.integers(0, 3_660)),
)


@settings(max_examples=200)
@given(POLICIES, st.dates(date(2020, 1, 1), date(2060, 1, 1)), st.integers(0, 400))
def test_points_last_at_least_their_day_and_what_is_earned_later_lasts_as_long(
    policy: RollingExpiry | CalendarExpiry, earned_on: date, days: int
) -> None:
    earlier, later = expires_on(policy, earned_on), expires_on(policy, date.fromordinal(earned_on.toordinal() + days))
    assert earlier is not None
    assert later is not None
    assert earned_on < earlier <= later


@pytest.mark.parametrize(
    ("expiry", "fault"),
    [
        ({"kind": "rolling"}, "one of the two"),
        ({"kind": "rolling", "days": 1, "months": 1}, "one of the two"),
        ({"kind": "calendar", "month": 4, "day": 31}, "month 4 has 30 days"),
        ({"kind": "sliding"}, "sliding"),
    ],
)
def test_a_policy_that_says_nothing_is_refused(expiry: dict[str, object], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        changed_rules(expiry=expiry)


def test_a_rule_set_says_it_in_one_way() -> None:
    days, month = date(2026, 11, 15), RollingExpiry(months=12, until_end_of="month")
    assert RULES.expires_on(days) is None
    assert changed_rules(expires_after_days=365).expires_on(days) == date(2027, 11, 15)  # as documents say from before
    assert changed_rules(expiry=month).expires_on(days) == date(2027, 12, 1)
    with pytest.raises(ValidationError, match="one of the two"):
        changed_rules(expires_after_days=365, expiry=month)


def test_an_award_lasts_as_its_rule_set_says_from_its_day_where_the_programme_is() -> None:
    """02:00 UTC on 1 December is still November in New York: a year, and to the end of its November."""
    rules = changed_rules(expiry=RollingExpiry(months=12, until_end_of="month"))
    bought = purchase(1, 1_000, owner=member(1), occurred_at=datetime(2026, 12, 1, 2, 0, tzinfo=UTC))
    awarded = Awarded(document(bought), member(1), evaluate_purchase(bought.data, rules))
    terms = lot_terms(awarded, PROGRAMME)
    assert (terms.available_from, terms.expires_on) == (date(2026, 11, 30), date(2027, 12, 1))
