"""How far a member is: what is missing for the next tier, or to keep the present one, and by when."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from services.accrual.domain.tiers.periods import Window, leaves_on, start_of_day
from services.accrual.domain.tiers.qualification import Amounts, CountedDay, total_in
from services.accrual.domain.tiers.scheme import RollingDays, RollingMonths, Tier, TierScheme
from services.accrual.domain.tiers.standing import Collected, Standing, window_at


class Missing(NamedTuple):
    """One thing that a tier needs: how much, and how much of it is missing."""

    measure: str
    needed: int
    missing: int


class Goal(NamedTuple):
    """A tier, and what is missing for it by ``by`` (exclusive): of several needs as the scheme's ``meets`` says.

    After ``by`` something that counts now counts no more: the period ends, or the oldest day leaves the window. None
    where nothing counts yet.
    """

    tier: str
    needs: Sequence[Missing]
    by: datetime | None


class Progress(NamedTuple):
    """What counts now, on the days of ``window``. ``to_next`` is None at the top, ``to_keep`` where none can be lost.

    Of a rolling window ``to_keep`` says what it takes today; of a period, what it takes by its end.
    """

    window: Window
    collected: Amounts
    to_next: Goal | None
    to_keep: Goal | None


def progress_at(standing: Standing, collected: Collected, scheme: TierScheme, now: datetime) -> Progress:
    """The progress of a member who is graded up to ``now``. The next tier is the one above the tier in force."""
    window = window_at(now, scheme, collected.anchor)
    amounts = total_in(collected.days, window)
    by = _counts_until(collected.days, window, scheme)
    above = (scheme.rank_of(standing.tier) or 0) + 1
    earned = scheme.rank_of(standing.earned) or 0
    may_lose = earned > 0 and scheme.downgrade != "none"
    return Progress(
        window,
        amounts,
        _goal(scheme.tiers[above], amounts, by) if above < len(scheme.tiers) else None,
        _goal(scheme.tiers[earned], amounts, standing.graded_next_at if scheme.is_rolling else by)
        if may_lose
        else None,
    )


def _goal(tier: Tier, amounts: Amounts, by: datetime | None) -> Goal:
    named = tier.needs.named if tier.needs is not None else {}
    needs = tuple(Missing(name, needed, max(0, needed - amounts.of(name))) for name, needed in named.items())
    return Goal(tier.code, needs, by)


def _counts_until(days: Sequence[CountedDay], window: Window, scheme: TierScheme) -> datetime | None:
    period = scheme.period
    if not isinstance(period, RollingDays | RollingMonths):
        return start_of_day(window.next_day, scheme.days_zone)
    first: date | None = next((day for day, _ in days if window.first <= day <= window.last), None)
    return start_of_day(leaves_on(first, period), scheme.days_zone) if first is not None else None
