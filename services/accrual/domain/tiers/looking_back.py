"""Which days grading has to look at: usually a sum or two, all days of some time where time is due."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from services.accrual.domain.tiers.grading import next_due_at
from services.accrual.domain.tiers.periods import Window, day_of, window_before, window_on
from services.accrual.domain.tiers.qualification import CountedDay, reached_rank, total_in
from services.accrual.domain.tiers.scheme import TierScheme, TierSchemeHistory
from services.accrual.domain.tiers.standing import Grant, Standing


class Lookback(NamedTuple):
    """Windows that do not overlap. ``is_by_day``: each day by itself, else the sum of each window is enough."""

    windows: Sequence[Window]
    is_by_day: bool


def look_back(
    standing: Standing | None, grants: Sequence[Grant], anchor: date, schemes: TierSchemeHistory, now: datetime
) -> Lookback:
    """What ``grade`` needs to know of a member. A scheme is in force at ``now``.

    Of a rolling window a sum is enough only as long as it reaches no tier: see ``wants_days``.
    """
    scheme = schemes.at(now)
    if scheme is None:
        raise ValueError("nobody is graded before there is a scheme")
    if standing is None:
        return Lookback(_windows_on(now, scheme, anchor), is_by_day=False)
    now = max(now, standing.graded_at)
    due_at = next_due_at(standing, grants)
    if standing.scheme_version == scheme.version and (due_at is None or due_at > now):
        has_tier = scheme.rank_of(standing.earned) != 0
        return Lookback(_windows_on(now, scheme, anchor), is_by_day=scheme.is_rolling and has_tier)
    since = min(standing.graded_at, due_at or standing.graded_at)
    involved = (schemes.version(standing.scheme_version), *schemes.between(since, now), scheme)
    first = min(_windows_on(since, each, anchor)[0].first for each in involved)
    last = max(_windows_on(now, each, anchor)[-1].last for each in involved)
    return Lookback((Window(first, last),), is_by_day=True)


def wants_days(lookback: Lookback, days: Sequence[CountedDay], scheme: TierScheme) -> bool:
    """Whether the days themselves must be read: a rolling window reaches a tier, whose end they tell."""
    if lookback.is_by_day or not scheme.is_rolling:
        return False
    return any(reached_rank(total_in(days, window), scheme) > 0 for window in lookback.windows)


def _windows_on(moment: datetime, scheme: TierScheme, anchor: date) -> Sequence[Window]:
    """The windows that may support a tier, the earlier first."""
    window = window_on(day_of(moment, scheme.days_zone), scheme.period, anchor)
    if scheme.is_rolling:
        return (window,)
    return (window_before(window, scheme.period, anchor), window)
