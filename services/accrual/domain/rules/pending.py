"""How long points wait before they may be spent: for days, until a date, or for something to happen.

Days are calendar days where the programme is, and count from the day of the receipt. What waits until a day may be
spent from that day's first second on.
"""

from datetime import date, timedelta
from typing import Annotated, Literal, NamedTuple, assert_never

from pydantic import Field, StrictInt

from services.accrual.domain.rules.values import DAYS_MAX, CodeText, Frozen
from shared.as_written import Day


class PendingDays(Frozen):
    """Points wait so many days: what is earned on the 1st and waits 14 days may be spent on the 15th."""

    kind: Literal["days"] = "days"
    days: Annotated[StrictInt, Field(ge=1, le=DAYS_MAX)]


class PendingUntilDate(Frozen):
    """Points wait until this day, and may be spent on it. What is earned on that day or later does not wait."""

    kind: Literal["date"] = "date"
    until: Day


class PendingEvent(Frozen):
    """Points wait until somebody tells that ``event`` has come, for ``days_max`` days from the receipt's at most.

    When the last of these days has ended without it they are released, or lapse: ``at_last`` says which.
    """

    kind: Literal["event"] = "event"
    event: CodeText
    days_max: Annotated[StrictInt, Field(ge=1, le=DAYS_MAX)]
    at_last: Literal["release", "lapse"]


PendingPolicy = Annotated[PendingDays | PendingUntilDate | PendingEvent, Field(discriminator="kind")]


class Wait(NamedTuple):
    """What points wait for: the first second of the day ``until``, or ``event`` before that day.

    ``lapses``: they are nobody's when that day has come without the event.
    """

    until: date
    event: str | None = None
    lapses: bool = False


def wait_of(policy: PendingDays | PendingUntilDate | PendingEvent | None, earned_on: date) -> Wait | None:
    """What points that were earned on this day wait for; None: they may be spent at once."""
    match policy:
        case None:
            return None
        case PendingDays(days=days):
            return Wait(earned_on + timedelta(days=days))
        case PendingUntilDate(until=until):
            return Wait(until) if until > earned_on else None
        case PendingEvent(event=event, days_max=days, at_last=at_last):
            return Wait(earned_on + timedelta(days=days + 1), event, at_last == "lapse")
        case _:
            assert_never(policy)
