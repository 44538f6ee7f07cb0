"""Birthdays without a year: which day of a year one is kept on, and whether a receipt is near it. Pure."""

from calendar import isleap
from collections.abc import Sequence
from datetime import date, datetime

from services.accrual.domain.earning_facts import EarningFacts
from services.accrual.domain.rules.predicates_of_member import BirthdayNear


def birthday_in(year: int, month: int, day: int, is_late: bool = False) -> date:
    """A birthday in a year. Of 29 February in a year without one: the 28th, or 1 March where ``is_late``."""
    if (month, day) == (2, 29) and not isleap(year):
        return date(year, 3, 1) if is_late else date(year, 2, 28)
    return date(year, month, day)


def near_birthday(
    windows: Sequence[BirthdayNear], month: int, day: int, at: datetime, facts: EarningFacts
) -> dict[BirthdayNear, bool]:
    """Whether a receipt of this moment lies in each window, by the days of the zone that the window names.

    The birthdays of the years beside it count too: a window may go over New Year.
    """
    return {window: _is_in(window, month, day, at.astimezone(facts.zone(window.zone)).date()) for window in windows}


def _is_in(window: BirthdayNear, month: int, day: int, on: date) -> bool:
    is_late = window.leap_day == "march_1"
    return any(
        -window.days_before <= (on - birthday_in(year, month, day, is_late)).days <= window.days_after
        for year in (on.year - 1, on.year, on.year + 1)
    )
