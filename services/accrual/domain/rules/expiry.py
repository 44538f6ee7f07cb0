"""How long points last: when they can no longer be spent, by the day on which they were earned.

Days are calendar days where the programme is. Points may be spent to the last second of their last day, and a policy
names that day; the ledger wants the first day after it. No hour is counted, so a change of the clocks changes nothing.
"""

from calendar import isleap, monthrange
from datetime import date, timedelta
from typing import Annotated, Literal, assert_never

from pydantic import Field, StrictInt, TypeAdapter, model_validator

from services.accrual.domain.rules.values import DAYS_MAX, Days, Frozen

MONTHS_MAX = 120
_MONTHS_IN = {"month": 1, "quarter": 3, "year": 12}


class NeverExpires(Frozen):
    """Points last for ever."""

    kind: Literal["never"] = "never"


class RollingExpiry(Frozen):
    """Points last so many days, or months, from the day on which they were earned, that day included.

    ``until_end_of``: and then to the end of that month, quarter or year. A month that has no such day lasts to its own
    end: what is earned on 31 January for a month lasts through February.
    """

    kind: Literal["rolling"] = "rolling"
    days: Annotated[StrictInt, Field(ge=1, le=DAYS_MAX)] | None = None
    months: Annotated[StrictInt, Field(ge=1, le=MONTHS_MAX)] | None = None
    until_end_of: Literal["month", "quarter", "year"] | None = None

    @model_validator(mode="after")
    def _check(self) -> "RollingExpiry":
        if (self.days is None) == (self.months is None):
            raise ValueError("say how long points last in days or in months, one of the two")
        return self


class CalendarExpiry(Frozen):
    """Points last until the end of this day of the year: of the first year in which they last ``days_min`` at least.

    29 February is the last day of February in every year.
    """

    kind: Literal["calendar"] = "calendar"
    month: Annotated[StrictInt, Field(ge=1, le=12)]
    day: Annotated[StrictInt, Field(ge=1, le=31)]
    days_min: Days = 0

    @model_validator(mode="after")
    def _check(self) -> "CalendarExpiry":
        longest = monthrange(2024, self.month)[1]  # a leap year
        if self.day > longest:
            raise ValueError(f"month {self.month} has {longest} days at most")
        return self


ExpiryPolicy = Annotated[NeverExpires | RollingExpiry | CalendarExpiry, Field(discriminator="kind")]
_POLICIES: TypeAdapter[NeverExpires | RollingExpiry | CalendarExpiry] = TypeAdapter(ExpiryPolicy)


def expires_on(policy: NeverExpires | RollingExpiry | CalendarExpiry, earned_on: date) -> date | None:
    """The first day on which points that were earned on ``earned_on`` may no longer be spent; None: never.

    Pure, and later than ``earned_on`` always.
    """
    match policy:
        case NeverExpires():
            return None
        case RollingExpiry():
            return _rolling(policy, earned_on)
        case CalendarExpiry():
            return _calendar(policy, earned_on)
        case _:
            assert_never(policy)


def write_expiry(policy: NeverExpires | RollingExpiry | CalendarExpiry) -> str:
    """A policy as it is kept with points whose release counts it from."""
    return policy.model_dump_json(exclude_none=True)


def read_expiry(written: str) -> NeverExpires | RollingExpiry | CalendarExpiry:
    """The policy that was written so."""
    return _POLICIES.validate_json(written)


def _rolling(policy: RollingExpiry, earned_on: date) -> date:
    if policy.days is not None:
        gone_on = earned_on + timedelta(days=policy.days)
    else:
        gone_on = _months_later(earned_on, policy.months or 0)
    if policy.until_end_of is None:
        return gone_on
    last = gone_on - timedelta(days=1)
    months = _MONTHS_IN[policy.until_end_of]
    first = date(last.year, (last.month - 1) // months * months + 1, 1)
    return _months_later(first, months)


def _calendar(policy: CalendarExpiry, earned_on: date) -> date:
    least = earned_on + timedelta(days=max(policy.days_min, 1))
    for year in (least.year - 1, least.year, least.year + 1):
        gone_on = _last_day(policy, year) + timedelta(days=1)
        if gone_on >= least:
            return gone_on
    raise AssertionError("unreachable: the day after it comes once a year")


def _last_day(policy: CalendarExpiry, year: int) -> date:
    is_cut = policy.month == 2 and policy.day == 29 and not isleap(year)
    return date(year, policy.month, 28 if is_cut else policy.day)


def _months_later(day: date, months: int) -> date:
    """The same day of a later month; where it has none, the first of the one after."""
    number = day.year * 12 + day.month - 1 + months
    year, month = number // 12, number % 12 + 1
    if day.day <= monthrange(year, month)[1]:
        return date(year, month, day.day)
    return date(year + month // 12, month % 12 + 1, 1)
