"""What a member has collected towards a tier, by day, and which tier that reaches."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from services.accrual.domain.tiers.periods import Window, leaves_on
from services.accrual.domain.tiers.scheme import Needs, RollingDays, RollingMonths, TierSchemeDraft


class Amounts(NamedTuple):
    """Points, spend in minor units, and visits. What was taken back is taken off."""

    points: int = 0
    spend_minor: int = 0
    visits: int = 0

    def plus(self, other: "Amounts") -> "Amounts":
        """Both together."""
        return Amounts(self.points + other.points, self.spend_minor + other.spend_minor, self.visits + other.visits)

    def less(self, other: "Amounts") -> "Amounts":
        """This without the other."""
        return Amounts(self.points - other.points, self.spend_minor - other.spend_minor, self.visits - other.visits)

    def of(self, name: str) -> int:
        """One of them, by the name that ``Needs`` gives it."""
        value: int = getattr(self, name)
        return value


NOTHING = Amounts()


class CountedDay(NamedTuple):
    """What was collected on one day. Visits are those that count, at most ``visits_per_day_max``."""

    day: date
    amounts: Amounts


def total_in(days: Iterable[CountedDay], window: Window) -> Amounts:
    """All that was collected on the window's days."""
    total = NOTHING
    for day, amounts in days:
        if window.first <= day <= window.last:
            total = total.plus(amounts)
    return total


def is_met(needs: Needs | None, amounts: Amounts, scheme: TierSchemeDraft, percent: int = 100) -> bool:
    """Whether ``amounts`` reach ``percent`` of what is needed."""
    if needs is None:
        return True
    reached = [amounts.of(name) * 100 >= needed * percent for name, needed in needs.named.items()]
    return all(reached) if scheme.meets == "all" else any(reached)


def reached_rank(amounts: Amounts, scheme: TierSchemeDraft) -> int:
    """The place of the highest tier whose needs are met. Needs rise with the ladder, so the first unmet one decides."""
    rank = 0
    while rank + 1 < len(scheme.tiers) and is_met(scheme.tiers[rank + 1].needs, amounts, scheme):
        rank += 1
    return rank


def falls_short_on(
    days: Sequence[CountedDay], window: Window, rank: int, scheme: TierSchemeDraft, period: RollingDays | RollingMonths
) -> date:
    """The first day after ``window`` on which nothing more would have to happen for ``rank`` to be reached no longer.

    ``days`` are in order; the window reaches the rank.
    """
    left = total_in(days, window)
    needs = scheme.tiers[rank].needs
    for day, amounts in days:
        if window.first <= day <= window.last:
            left = left.less(amounts)
            if not is_met(needs, left, scheme):
                return leaves_on(day, period)
    return leaves_on(window.last, period)
