"""How long points last without activity, day by day, and since when anybody's time runs."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.accrual.domain.rules import RuleSet, RuleSetHistory
from services.accrual.domain.rules.inactivity import Inactivity, lapses_on, lasting_since
from tests.support.rule_sets import rules_document

POLICIES = st.one_of(
    st.integers(1, 800).map(lambda days: Inactivity(days=days, activities=("purchase",))),
    st.integers(1, 24).map(lambda months: Inactivity(months=months, activities=("purchase",))),
)


@pytest.mark.parametrize(
    ("policy", "last", "lapses"),
    [
        ({"days": 1}, "2026-11-01", "2026-11-02"),  # that day included, to its last second
        ({"days": 30}, "2026-11-01", "2026-12-01"),
        ({"months": 1}, "2027-01-31", "2027-03-01"),  # February has no 31st: through its own end
        ({"months": 12}, "2028-02-29", "2029-03-01"),
    ],
)
def test_points_last_to_the_end_of_the_last_day(policy: dict[str, int], last: str, lapses: str) -> None:
    said = Inactivity.model_validate(policy | {"activities": ["purchase"]})
    assert lapses_on(said, date.fromisoformat(last)) == date.fromisoformat(lapses)


@settings(max_examples=100)
@given(POLICIES, st.dates(date(2025, 1, 1), date(2030, 12, 31)))
def test_the_first_day_that_still_counts_is_the_first(policy: Inactivity, day: date) -> None:
    since = lasting_since(policy, day)

    assert lapses_on(policy, since) > day
    assert lapses_on(policy, since - timedelta(days=1)) <= day


@pytest.mark.parametrize("said", [{}, {"days": 1, "months": 1}, {"days": 0}])
def test_days_or_months(said: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Inactivity.model_validate(said | {"activities": ["purchase"]})


def test_nobodys_time_runs_before_versions_in_a_row_said_so() -> None:
    def version(number: int, days: int | None) -> RuleSet:
        said = {} if days is None else {"inactivity": {"days": days, "activities": ["purchase"]}}
        begins = {"version": number, "effective_from": datetime(2026, number, 1, tzinfo=UTC)}
        return RuleSet.model_validate(rules_document() | begins | said)

    history = RuleSetHistory([version(1, 10), version(2, None), version(3, 20), version(4, 30)])

    def at(month: int) -> tuple[int | None, int] | None:
        found = history.inactivity_at(datetime(2026, month, 15, tzinfo=UTC))
        return None if found is None else (found[0].days, found[1].month)

    assert [at(month) for month in (1, 2, 3, 4)] == [(10, 1), None, (20, 3), (30, 3)]
