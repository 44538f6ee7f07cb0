"""Counters of a backtest: what would have been counted, by member, name and day.

Kept in memory, which is why they have a bound: a window of the calendar takes one entry, a run of days one a day.
"""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.earning_facts import Used
from services.accrual.domain.earning_windows import Days

COUNTED_MAX = 1_000_000


class BacktestTooLargeError(Exception):
    """More is to be counted than fits: a shorter period, fewer partners or a sample of the members does."""


class CountedOn(NamedTuple):
    """What is counted on a day, or in the window that begins on it."""

    day: date
    amount: int
    receipts: int


class Counters:
    """Sums by member and name; ``counted`` is how many there are. Where nothing is added none is made."""

    def __init__(self, counted_max: int = COUNTED_MAX) -> None:
        self._days: dict[tuple[UUID, str], dict[date, tuple[int, int]]] = {}
        self.counted = 0
        self._counted_max = counted_max

    def add(self, member_id: UUID, name: str, day: date, amount: int, receipts: int) -> None:
        """Count something.

        Raises:
            BacktestTooLargeError: there are too many counters.
        """
        if not amount and not receipts:
            return
        days = self._days.setdefault((member_id, name), {})
        if day not in days:
            self.counted += 1
            if self.counted > self._counted_max:
                raise BacktestTooLargeError(f"more than {self._counted_max} counters")
        had_amount, had_receipts = days.get(day, (0, 0))
        days[day] = had_amount + amount, had_receipts + receipts

    def has(self, member_id: UUID, name: str) -> bool:
        """Whether anything is counted, on whatever day: of most members nothing is."""
        return (member_id, name) in self._days

    def within(self, member_id: UUID, name: str, days: Days) -> Iterator[CountedOn]:
        """What is counted in a window, day by day."""
        for day, (amount, receipts) in self._days.get((member_id, name), {}).items():
            if days.first <= day <= days.last:
                yield CountedOn(day, amount, receipts)

    def used(self, member_id: UUID, name: str, days: Days) -> Used:
        """The sum of it."""
        points = receipts = 0
        for one in self.within(member_id, name, days):
            points, receipts = points + one.amount, receipts + one.receipts
        return Used(points, receipts)
