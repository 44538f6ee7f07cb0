"""A member's tier as it stands, what has led to it, and how long it holds."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias

from services.accrual.domain.tiers.periods import Window, day_of, start_of_day, window_after, window_on
from services.accrual.domain.tiers.qualification import CountedDay, reached_rank, total_in
from services.accrual.domain.tiers.scheme import TierScheme

Reason: TypeAlias = Literal[
    "qualified",
    "period_ended",
    "reversed",
    "merged",
    "granted",
    "grant_ended",
    "grant_revoked",
    "scheme_changed",
]


class Grant(NamedTuple):
    """A tier that a person gave: it holds from ``granted_at`` until just before ``ends_at``, whatever was earned."""

    tier: str
    granted_at: datetime
    ends_at: datetime

    def holds_at(self, moment: datetime) -> bool:
        """Whether it is in force."""
        return self.granted_at <= moment < self.ends_at


class Collected(NamedTuple):
    """What a member's tier is graded by: ``days`` in order, the day that anniversaries are counted from, and grants."""

    days: Sequence[CountedDay]
    anchor: date
    grants: Sequence[Grant] = ()


class Standing(NamedTuple):
    """A member's tier.

    ``tier`` is the one in force ``since`` then (None: always): the higher of ``earned`` and what was granted.
    ``is_landed``: the earned one is more than what was collected gives, since its loss was softened or is never due.
    ``grace_until``: it holds until then though its period has ended. ``graded_next_at``: when time may take (or, with
    the next period, give) an earned tier. All up to ``graded_at`` is graded, by ``scheme_version`` at the end.
    """

    tier: str
    since: datetime | None
    earned: str
    is_landed: bool
    grace_until: datetime | None
    graded_next_at: datetime | None
    graded_at: datetime
    scheme_version: int


class Change(NamedTuple):
    """One tier gave way to another at a moment. ``until``: when the new one may end; None: time does not take it."""

    at: datetime
    old_tier: str
    new_tier: str
    reason: Reason
    until: datetime | None


def beginner(scheme: TierScheme, moment: datetime) -> Standing:
    """Somebody of whom nothing is known: the lowest tier."""
    lowest = scheme.tiers[0].code
    return Standing(lowest, None, lowest, False, None, None, moment, scheme.version)


def later_day(moment: datetime, days: int, scheme: TierScheme) -> datetime:
    """The beginning of a day some days after the one that begins at ``moment``."""
    if days == 0:
        return moment
    zone = scheme.days_zone
    return start_of_day(day_of(moment, zone) + timedelta(days=days), zone)


def window_at(moment: datetime, scheme: TierScheme, anchor: date) -> Window:
    """The window that counts at a moment."""
    return window_on(day_of(moment, scheme.days_zone), scheme.period, anchor)


def holds_until(standing: Standing, collected: Collected, scheme: TierScheme, at: datetime) -> datetime | None:
    """When the tier in force may end if nothing more is collected, grace included; None: time does not take it."""
    rank = scheme.rank_of(standing.tier) or 0
    ends = [grant.ends_at for grant in collected.grants if grant.tier == standing.tier and grant.holds_at(at)]
    if (scheme.rank_of(standing.earned) or 0) < rank:
        return max(ends, default=None)
    earned_until = _earned_until(standing, collected, scheme, at)
    return None if earned_until is None else max([earned_until, *ends])


def granted_ranks(grants: Sequence[Grant], scheme: TierScheme, at: datetime) -> Iterator[int]:
    """The places of granted tiers that hold. One that the ladder does not have any more counts for nothing."""
    for grant in grants:
        if grant.holds_at(at) and (rank := scheme.rank_of(grant.tier)) is not None:
            yield rank


def _earned_until(standing: Standing, collected: Collected, scheme: TierScheme, at: datetime) -> datetime | None:
    rank = scheme.rank_of(standing.earned) or 0
    if rank == 0 or scheme.downgrade == "none":
        return None
    if standing.grace_until is not None:
        return standing.grace_until
    ends_at = standing.graded_next_at
    if ends_at is None:
        return None
    if not scheme.is_rolling:
        period = window_at(at, scheme, collected.anchor)
        if reached_rank(total_in(collected.days, period), scheme) >= rank:  # it has qualified for the next one already
            period = window_after(period, scheme.period, collected.anchor)
            ends_at = start_of_day(period.next_day, scheme.days_zone)
    return later_day(ends_at, scheme.grace_days, scheme)
