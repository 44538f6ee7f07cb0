"""How often a privilege is given: within which time a use counts, and whether another one is left. Pure.

A use counts on a day where the programme is: on that of its reservation, which promised it, else on its receipt's.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from services.redemption.domain.privileges.terms import PrivilegeTerms, UseLimit

Period: TypeAlias = Literal["ever", "year", "month", "day"]
PERIODS: tuple[Period, ...] = ("ever", "year", "month", "day")

_FIRST_DAY = date(1970, 1, 1)


class Total(NamedTuple):
    """Uses of all members in one period are counted under this."""

    privilege_id: str
    period: Period
    began_on: date


def began(period: Period, day: date) -> date:
    """The first day of the period in which a day lies."""
    match period:
        case "ever":
            return _FIRST_DAY
        case "year":
            return day.replace(month=1, day=1)
        case "month":
            return day.replace(day=1)
        case "day":
            return day


def totals_of(terms: PrivilegeTerms, day: date) -> list[Total]:
    """What a use on this day adds to, where uses of all members are limited together."""
    return [
        Total(terms.privilege_id, limit.period, began(limit.period, day))
        for limit in terms.limits
        if limit.per == "all"
    ]


def is_limited_together(terms: PrivilegeTerms) -> bool:
    """Whether uses of all members are limited together."""
    return any(limit.per == "all" for limit in terms.limits)


class Tally:
    """How often privileges were used or are reserved, by day: of members, and of all together.

    ``of_members`` counts both, ``totals`` all members' uses, ``reserved`` all members' reservations.
    """

    def __init__(
        self,
        of_members: Mapping[tuple[UUID, str], Mapping[date, int]],
        totals: Mapping[Total, int],
        reserved: Mapping[str, Mapping[date, int]],
    ) -> None:
        self._of_members = {key: Counter(days) for key, days in of_members.items()}
        self._totals = Counter(totals)
        self._reserved = reserved

    def left(self, terms: PrivilegeTerms, member_id: UUID | None, day: date) -> int | None:
        """How often it may be used on this day yet, as all its limits allow; None where there is none.

        Of a member whom nobody knows only the limits of all together say something.
        """
        known = [limit for limit in terms.limits if limit.per == "all" or member_id is not None]
        return min((max(0, one.uses_max - self._counted(terms, one, member_id, day)) for one in known), default=None)

    def add(self, terms: PrivilegeTerms, member_id: UUID | None, day: date) -> None:
        """Count one more use."""
        if member_id is not None:
            self._of_members.setdefault((member_id, terms.privilege_id), Counter())[day] += 1
        self._totals.update(totals_of(terms, day))

    def _counted(self, terms: PrivilegeTerms, limit: UseLimit, member_id: UUID | None, day: date) -> int:
        if limit.per == "member":
            if member_id is None:
                raise AssertionError("unreachable: a limit of each member is asked of one")
            return _within(limit.period, day, self._of_members.get((member_id, terms.privilege_id), {}).items())
        total = self._totals[Total(terms.privilege_id, limit.period, began(limit.period, day))]
        return total + _within(limit.period, day, self._reserved.get(terms.privilege_id, {}).items())


def _within(period: Period, day: date, counted: Iterable[tuple[date, int]]) -> int:
    start = began(period, day)
    return sum(uses for counted_on, uses in counted if began(period, counted_on) == start)
