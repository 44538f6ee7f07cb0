"""Grades a member: all that time has brought about since the last time, in order, then what is collected by now.

Pure: equal arguments give equal standings. Grading at one moment and then at a later one gives the same as grading at
the later one alone, as long as nothing was collected in between; so an outage changes nothing but when it is told.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple, TypeAlias

from services.accrual.domain.tiers.periods import day_of, leaves_on, start_of_day, window_before
from services.accrual.domain.tiers.qualification import (
    Amounts,
    CountedDay,
    falls_short_on,
    is_met,
    reached_rank,
    total_in,
)
from services.accrual.domain.tiers.scheme import RollingDays, RollingMonths, TierScheme, TierSchemeHistory
from services.accrual.domain.tiers.standing import (
    Change,
    Collected,
    Grant,
    Reason,
    Standing,
    beginner,
    granted_ranks,
    holds_until,
    later_day,
    window_at,
)

Cause: TypeAlias = Literal["time", "collected", "reversed", "merged", "granted", "grant_revoked"]
_REASONS: dict[Cause, Reason] = {
    "time": "qualified",
    "collected": "qualified",
    "reversed": "reversed",
    "merged": "merged",
    "granted": "granted",
    "grant_revoked": "grant_revoked",
}


class Graded(NamedTuple):
    """A standing, and what has changed on the way to it, in order."""

    standing: Standing
    changes: Sequence[Change]


def grade(
    standing: Standing | None, collected: Collected, schemes: TierSchemeHistory, now: datetime, cause: Cause
) -> Graded | None:
    """Grade a member up to ``now``; ``cause`` says why the member is looked at. None while no scheme is in force.

    Nothing that is graded is graded again: a moment before ``standing.graded_at`` counts as that one.
    """
    if standing is None:
        scheme = schemes.at(now)
        if scheme is None:
            return None
        standing = beginner(scheme, now)
    grader = _Grader(standing, collected, schemes.version(standing.scheme_version))
    now = max(now, standing.graded_at)
    while (due := _next_due(grader.standing, collected.grants, schemes, grader.scheme, now)) is not None:
        match due:
            case ("period", at):
                grader.end_period(at)
            case ("grant", at):
                grader.settle(at, "grant_ended")
            case ("scheme", at):
                grader.switch(schemes.after(grader.scheme), at)
    grader.take_in(now, cause)
    return Graded(grader.standing, tuple(grader.changes))


_Due: TypeAlias = tuple[Literal["period", "grant", "scheme"], datetime]
_ORDER = ("period", "grant", "scheme")  # of what is due at one moment: a period ends under the version it ran under


def next_due_at(standing: Standing, grants: Sequence[Grant]) -> datetime | None:
    """When time changes something next; a new version of the scheme apart. None: never."""
    return min((at for _, at in _dates(standing, grants)), default=None)


def _dates(standing: Standing, grants: Sequence[Grant]) -> list[_Due]:
    dates: list[_Due] = [("grant", grant.ends_at) for grant in grants if grant.ends_at > standing.graded_at]
    if standing.graded_next_at is not None:
        dates.append(("period", standing.graded_next_at))
    return dates


def _next_due(
    standing: Standing, grants: Sequence[Grant], schemes: TierSchemeHistory, scheme: TierScheme, now: datetime
) -> _Due | None:
    dates = _dates(standing, grants)
    if (following := schemes.after(scheme)) is not None:
        dates.append(("scheme", following.effective_from))
    due = min(dates, key=lambda one: (one[1], _ORDER.index(one[0])), default=None)
    return due if due is not None and due[1] <= now else None


class _Grader:
    """One member's standing on its way, under one version of the scheme at a time."""

    def __init__(self, standing: Standing, collected: Collected, scheme: TierScheme) -> None:
        self.standing = standing
        self.collected = collected
        self.scheme = scheme
        self.changes: list[Change] = []

    @property
    def rank(self) -> int:
        """The place of what is earned."""
        return self.scheme.rank_of(self.standing.earned) or 0

    def take_in(self, at: datetime, cause: Cause) -> None:
        """Grade by all that is collected now: a tier is reached, or (by policy) a return takes one at once."""
        supported = self._supported(at, self.collected.days)
        rank = self.rank
        if supported > rank or (supported == rank and rank):
            self._hold(supported, at, not_before=self.standing.graded_next_at if supported == rank else None)
        elif cause == "reversed" and self.scheme.on_reversal == "regrade" and supported < rank and self._is_earned:
            self._hold(supported, at)
        elif not self.scheme.is_rolling:
            self._plan_period(at)
        self.settle(at, _REASONS[cause])

    def end_period(self, at: datetime) -> None:
        """The earned tier's period, or its grace, is over: it is earned again, or kept a while, or lost."""
        today = day_of(at, self.scheme.days_zone)
        days = [counted for counted in self.collected.days if counted.day < today]
        supported = self._supported(at, days)
        is_up = supported > self.rank
        if supported >= self.rank:
            self._hold(supported, at)
        elif self.scheme.downgrade == "none":
            self._land(self.rank, at)
        elif self.scheme.grace_days and self.standing.grace_until is None:
            until = later_day(at, self.scheme.grace_days, self.scheme)
            self.standing = self.standing._replace(grace_until=until, graded_next_at=until)
        else:
            self._fall(supported, at, days)
        self.settle(at, "qualified" if is_up else "period_ended")

    def switch(self, scheme: TierScheme | None, at: datetime) -> None:
        """Another version takes over. Nobody loses a tier by it, unless the ladder does not have it any more."""
        if scheme is None:
            raise ValueError("no version follows the last one")
        self.scheme = scheme
        self.standing = self.standing._replace(scheme_version=scheme.version)
        supported = self._supported(at, self.collected.days)
        is_known = scheme.rank_of(self.standing.earned) is not None
        if supported > self.rank or not is_known:
            self._hold(max(supported, self.rank), at)
        elif not scheme.is_rolling:
            self._plan_period(at)
        elif self.rank and self.standing.graded_next_at is None:
            self._land(self.rank, at)
        self.settle(at, "scheme_changed")

    def settle(self, at: datetime, reason: Reason) -> None:
        """Let the higher of what is earned and what is granted be in force, and note it where that is another tier."""
        rank = max(self.rank, *granted_ranks(self.collected.grants, self.scheme, at), 0)
        old_tier, new_tier = self.standing.tier, self.scheme.tiers[rank].code
        self.standing = self.standing._replace(graded_at=at)
        if new_tier == old_tier:
            return
        self.standing = self.standing._replace(tier=new_tier, since=at)
        until = holds_until(self.standing, self.collected, self.scheme, at)
        self.changes.append(Change(at, old_tier, new_tier, reason, until))

    @property
    def _is_earned(self) -> bool:
        return not self.standing.is_landed and self.standing.grace_until is None

    def _basis(self, at: datetime, days: Sequence[CountedDay]) -> list[Amounts]:
        """What was collected in each window that may support a tier: of periods the last one, and the present."""
        window = window_at(at, self.scheme, self.collected.anchor)
        if self.scheme.is_rolling:
            return [total_in(days, window)]
        windows = [window_before(window, self.scheme.period, self.collected.anchor)]
        if self.scheme.upgrade == "at_once":
            windows.append(window)
        return [total_in(days, window) for window in windows]

    def _supported(self, at: datetime, days: Sequence[CountedDay]) -> int:
        return max(reached_rank(amounts, self.scheme) for amounts in self._basis(at, days))

    def _fall(self, supported: int, at: datetime, days: Sequence[CountedDay]) -> None:
        scheme, rank = self.scheme, self.rank
        percent = scheme.soft_landing_percent
        needs = scheme.tiers[rank].needs
        is_near = percent is not None and any(is_met(needs, one, scheme, percent) for one in self._basis(at, days))
        one_below = max(supported, rank - 1)
        if (scheme.downgrade == "one_step" or is_near) and one_below > supported:
            self._land(one_below, at)
        else:
            self._hold(supported, at)

    def _hold(self, rank: int, at: datetime, not_before: datetime | None = None) -> None:
        """The tier is earned. With ``not_before`` it does not end earlier than it would have without the news."""
        self._set(rank, is_landed=False)
        if not self.scheme.is_rolling:
            self._plan_period(at)
            return
        ends_at = None
        if rank:
            ends_at = self._falls_short_at(at, rank)
            if not_before is not None and self.scheme.on_reversal == "keep":
                ends_at = max(ends_at, not_before)
        self.standing = self.standing._replace(graded_next_at=ends_at)

    def _land(self, rank: int, at: datetime) -> None:
        """The tier is not earned and holds all the same: for another period, or (where none is lost) for ever."""
        self._set(rank, is_landed=rank > 0)
        if not self.scheme.is_rolling:
            self._plan_period(at)
            return
        ends_at = None
        if rank and self.scheme.downgrade != "none":
            zone = self.scheme.days_zone
            ends_at = start_of_day(leaves_on(day_of(at, zone), self._rolling), zone)
        self.standing = self.standing._replace(graded_next_at=ends_at)

    def _set(self, rank: int, *, is_landed: bool) -> None:
        earned = self.scheme.tiers[rank].code
        self.standing = self.standing._replace(earned=earned, is_landed=is_landed, grace_until=None)

    def _plan_period(self, at: datetime) -> None:
        """When a tier of a period is graded next: at its end, unless there is nothing to lose or to give then."""
        if self.standing.grace_until is not None:
            return
        period = window_at(at, self.scheme, self.collected.anchor)
        may_rise = (
            self.scheme.upgrade == "next_period"
            and reached_rank(total_in(self.collected.days, period), self.scheme) > self.rank
        )
        ends_at = start_of_day(period.next_day, self.scheme.days_zone) if self.rank or may_rise else None
        self.standing = self.standing._replace(graded_next_at=ends_at)

    def _falls_short_at(self, at: datetime, rank: int) -> datetime:
        window = window_at(at, self.scheme, self.collected.anchor)
        day: date = falls_short_on(self.collected.days, window, rank, self.scheme, self._rolling)
        return start_of_day(day, self.scheme.days_zone)

    @property
    def _rolling(self) -> RollingDays | RollingMonths:
        period = self.scheme.period
        if not isinstance(period, RollingDays | RollingMonths):
            raise TypeError("only a rolling window falls short on a day")
        return period
