"""When a member's points lapse because nothing was done with them: a rule over the member, beside the points' own days.

Days are calendar days where the programme is, counted as those of rolling expiry are.
"""

from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field, StrictInt, model_validator

from services.accrual.domain.rules.expiry import MONTHS_MAX, RollingExpiry, expires_on
from services.accrual.domain.rules.values import DAYS_MAX, Frozen

MONTH_DAYS_MAX = 31


class Inactivity(Frozen):
    """All available points lapse when none of ``activities`` came for so many days, or months, that of the last one
    included; points that are younger than that stay, and so does what is held or pending. What was pending and is
    released, or was spent and is given back, is as young as the day on which it came back.

    A ``purchase`` counts where it gave points, a ``redemption`` where points were taken or given back, on the day on
    which it was posted. Nobody's time begins before the first of the versions in a row that say so took effect.
    """

    days: Annotated[StrictInt, Field(ge=1, le=DAYS_MAX)] | None = None
    months: Annotated[StrictInt, Field(ge=1, le=MONTHS_MAX)] | None = None
    activities: Annotated[tuple[Literal["purchase", "redemption"], ...], Field(min_length=1, max_length=2)]

    @model_validator(mode="after")
    def _check(self) -> "Inactivity":
        if (self.days is None) == (self.months is None):
            raise ValueError("say how long in days or in months, one of the two")
        if len(set(self.activities)) < len(self.activities):
            raise ValueError("each of the activities may be named once")
        return self


def lapses_on(policy: Inactivity, last: date) -> date:
    """The first day on which points may no longer be spent, when nothing came after this day."""
    found = expires_on(RollingExpiry(days=policy.days, months=policy.months), last)
    if found is None:
        raise AssertionError("unreachable: what rolls ends")
    return found


def lasting_since(policy: Inactivity, day: date) -> date:
    """The first day of which an activity keeps points beyond the beginning of ``day``."""
    since = day - timedelta(days=policy.days if policy.days is not None else MONTH_DAYS_MAX * (policy.months or 0))
    while lapses_on(policy, since) <= day:
        since += timedelta(days=1)
    return since
