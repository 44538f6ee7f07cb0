"""What must hold of tiers, whatever was collected: any schedule of grading agrees, and a promise is kept."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.accrual.domain.tiers.grading import Graded, grade, next_due_at
from services.accrual.domain.tiers.joining import joined_standing
from services.accrual.domain.tiers.progress import progress_at
from services.accrual.domain.tiers.qualification import Amounts, CountedDay
from services.accrual.domain.tiers.scheme import TierScheme, TierSchemeHistory
from services.accrual.domain.tiers.standing import Change, Collected, Grant, Standing
from tests.support.tiers import scheme

EXAMPLES_MAX = 60
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
LAST_DAY = 500  # what is collected lies before it, what time does after it
TIERS = ("basic", "silver", "gold")

_PERIODS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"kind": "calendar", "unit": "year"},
        {"kind": "calendar", "unit": "quarter"},
        {"kind": "anniversary", "months": 5},
        {"kind": "rolling_days", "days": 90},
        {"kind": "rolling_months", "months": 3},
    ]
)


@st.composite
def schemes(draw: st.DrawFn) -> TierScheme:
    period = draw(_PERIODS)
    is_rolling = str(period["kind"]).startswith("rolling")
    downgrade = draw(st.sampled_from(["none", "one_step", "full"]))
    return scheme(
        period=period,
        zone=draw(st.sampled_from(["Europe/Berlin", "America/New_York", "Pacific/Apia"])),
        upgrade="at_once" if is_rolling else draw(st.sampled_from(["at_once", "next_period"])),
        downgrade=downgrade,
        grace_days=draw(st.sampled_from([0, 1, 40])),
        soft_landing_percent=draw(st.sampled_from([None, 50])) if downgrade == "full" else None,
        on_reversal=draw(st.sampled_from(["keep", "regrade"])),
    )


_DAYS = st.dictionaries(st.integers(0, LAST_DAY), st.integers(1, 300), max_size=8)
_GRANTS = st.lists(
    st.tuples(st.sampled_from(TIERS), st.integers(0, LAST_DAY), st.integers(1, 900)).map(
        lambda drawn: Grant(drawn[0], _moment(drawn[1]), _moment(drawn[1] + drawn[2]))
    ),
    max_size=2,
)


def _moment(day: int) -> datetime:
    return BEGIN + timedelta(days=day, hours=12)


def _collected(points_by_day: dict[int, int], grants: list[Grant]) -> Collected:
    days = [CountedDay(_moment(day).date(), Amounts(points=each)) for day, each in sorted(points_by_day.items())]
    return Collected(days, date(2024, 2, 29), grants)


def _begun(policy: TierScheme, collected: Collected) -> Graded:
    begun = grade(None, collected, TierSchemeHistory([policy]), _moment(LAST_DAY), "collected")
    assert begun is not None
    return begun


@settings(max_examples=EXAMPLES_MAX)
@given(schemes(), _DAYS, _GRANTS, st.lists(st.integers(0, 1500), max_size=6))
def test_however_often_time_is_looked_at_the_changes_are_the_same(
    policy: TierScheme, points_by_day: dict[int, int], grants: list[Grant], stops: list[int]
) -> None:
    history, collected = TierSchemeHistory([policy]), _collected(points_by_day, grants)
    begun = _begun(policy, collected)
    at_once = grade(begun.standing, collected, history, _moment(LAST_DAY + 1500), "time")

    standing = begun.standing
    changes: list[Change] = []
    for stop in [*sorted(stops), 1500]:
        step = grade(standing, collected, history, _moment(LAST_DAY + stop), "time")
        assert step is not None
        standing = step.standing
        changes += step.changes

    assert at_once is not None
    assert (standing, changes) == (at_once.standing, list(at_once.changes))
    assert [change.at for change in changes] == sorted(change.at for change in changes)
    assert all(change.old_tier != change.new_tier for change in changes)


@settings(max_examples=EXAMPLES_MAX)
@given(schemes(), _DAYS, _GRANTS)
def test_a_tier_that_is_told_until_a_moment_holds_until_just_before(
    policy: TierScheme, points_by_day: dict[int, int], grants: list[Grant]
) -> None:
    history, collected = TierSchemeHistory([policy]), _collected(points_by_day, grants)
    begun = _begun(policy, collected)
    end = begun.changes[-1].until if begun.changes else None
    if end is None:
        return

    before = grade(begun.standing, collected, history, end - timedelta(seconds=1), "time")

    assert before is not None
    assert TIERS.index(before.standing.tier) >= TIERS.index(begun.standing.tier)
    due = next_due_at(begun.standing, grants)
    assert due is not None
    assert due > begun.standing.graded_at


@settings(max_examples=EXAMPLES_MAX)
@given(schemes(), _DAYS)
def test_the_same_again_changes_nothing(policy: TierScheme, points_by_day: dict[int, int]) -> None:
    history, collected = TierSchemeHistory([policy]), _collected(points_by_day, [])
    begun = _begun(policy, collected)

    again = grade(begun.standing, collected, history, _moment(LAST_DAY), "collected")

    assert again == Graded(begun.standing, ())


@settings(max_examples=EXAMPLES_MAX)
@given(schemes(), _DAYS)
def test_what_is_missing_is_just_enough(policy: TierScheme, points_by_day: dict[int, int]) -> None:
    history, collected = TierSchemeHistory([policy]), _collected(points_by_day, [])
    standing = _begun(policy, collected).standing
    goal = progress_at(standing, collected, policy, _moment(LAST_DAY)).to_next
    if goal is None or policy.upgrade == "next_period":
        return
    (need,) = goal.needs

    for points, is_reached in ((need.missing, True), (need.missing - 1, False)):
        today = _moment(LAST_DAY).date()
        more = [*(day for day in collected.days if day.day != today), CountedDay(today, Amounts(points=points))]
        on_today = sum(day.amounts.points for day in collected.days if day.day == today)
        more[-1] = CountedDay(today, Amounts(points=points + on_today))
        after = grade(standing, collected._replace(days=more), history, _moment(LAST_DAY), "collected")
        assert after is not None
        assert (after.standing.tier == goal.tier) is is_reached or need.missing == 0


@settings(max_examples=EXAMPLES_MAX)
@given(schemes(), _DAYS, _DAYS)
def test_a_merge_never_lowers_a_tier(policy: TierScheme, one: dict[int, int], other: dict[int, int]) -> None:
    history = TierSchemeHistory([policy])
    first, second = _begun(policy, _collected(one, [])).standing, _begun(policy, _collected(other, [])).standing
    both = _collected({day: one.get(day, 0) + other.get(day, 0) for day in one.keys() | other.keys()}, [])

    tiers = set()
    for survivor, merged in ((first, second), (second, first)):
        joined: Standing = joined_standing(survivor, merged, policy)
        found = grade(joined, both, history, _moment(LAST_DAY), "merged")
        assert found is not None
        assert TIERS.index(found.standing.tier) >= max(TIERS.index(first.tier), TIERS.index(second.tier))
        tiers.add(found.standing.tier)
    assert len(tiers) == 1
