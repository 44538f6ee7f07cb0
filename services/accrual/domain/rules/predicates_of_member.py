"""Predicates over the receipt's time, and over its member: what was bought before, and what the member is."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt, model_validator

from services.accrual.domain.rules.ranges import Range
from services.accrual.domain.rules.values import Codes, Days, Frozen, Minor, Window, Zone
from shared.as_written import Day

Minute = Annotated[StrictInt, Field(ge=0, le=1_440)]
Place = Literal["programme", "partner"]


class FirstPurchase(Frozen):
    """Nothing was counted for this member before, anywhere or at this partner.

    Purchases are counted from the first published rule set on that asks for them. Who joined before may have bought
    before, so that it never matches for them.
    """

    kind: Literal["first_purchase"] = "first_purchase"
    at: Place = "programme"


class NthPurchase(Frozen):
    """This is the member's ``nth`` purchase or visit in the window; with ``repeats`` every nth is.

    A visit is a day on which the member buys: more purchases on it are the same visit. Purchases are counted from the
    first published rule set on that asks for them; of all time only for members who joined since.
    """

    kind: Literal["nth"] = "nth"
    nth: Annotated[StrictInt, Field(ge=1, le=10_000)]
    counted: Literal["purchases", "visits"] = "purchases"
    repeats: StrictBool = False
    at: Place = "programme"
    window: Window


class SpendIs(Range):
    """What the member's receipts in the window earned on, this one included, in minor units."""

    kind: Literal["spend"] = "spend"
    at_least_minor: Minor | None = None
    at_most_minor: Minor | None = None
    at: Place = "programme"
    window: Window


class DaysSincePurchase(Range):
    """Days from the member's last purchase before this one. Without one it never matches."""

    kind: Literal["days_since_purchase"] = "days_since_purchase"
    at_least: Days | None = None
    at_most: Days | None = None
    at: Place = "programme"
    zone: Zone = "programme"


class WeekdayIs(Frozen):
    """The receipt is of one of these days of the week: 1 is Monday."""

    kind: Literal["weekday"] = "weekday"
    weekdays: Annotated[tuple[Annotated[StrictInt, Field(ge=1, le=7)], ...], Field(min_length=1, max_length=7)]
    zone: Zone


class HoursAre(Frozen):
    """The clock stands between ``from_minute`` and just before ``until_minute``, in minutes since midnight.

    What the clock shows counts: an hour that is shown twice when clocks go back counts twice, one that is left out
    never. A ``from_minute`` above ``until_minute`` goes over midnight.
    """

    kind: Literal["hours"] = "hours"
    from_minute: Minute
    until_minute: Minute
    zone: Zone

    @model_validator(mode="after")
    def _check_hours(self) -> "HoursAre":
        if self.from_minute == self.until_minute:
            raise ValueError("from_minute and until_minute are the same: nothing could ever match")
        return self


class DatesAre(Frozen):
    """The receipt is of these days: from the first second of ``from_date`` to the last of ``until_date``."""

    kind: Literal["dates"] = "dates"
    from_date: Day | None = None
    until_date: Day | None = None
    zone: Zone

    @model_validator(mode="after")
    def _check_dates(self) -> "DatesAre":
        if self.from_date is None and self.until_date is None:
            raise ValueError("name from_date, until_date or both")
        if self.from_date is not None and self.until_date is not None and self.from_date > self.until_date:
            raise ValueError("from_date is after until_date: nothing could ever match")
        return self


class BirthdayNear(Frozen):
    """The receipt is at most so many days before or after the member's birthday.

    Who was born on 29 February has it on ``leap_day`` in other years.
    """

    kind: Literal["birthday"] = "birthday"
    days_before: Annotated[StrictInt, Field(ge=0, le=60)] = 0
    days_after: Annotated[StrictInt, Field(ge=0, le=60)] = 0
    zone: Zone
    leap_day: Literal["february_28", "march_1"] = "february_28"


class EnrolledFor(Range):
    """Days since the member joined: 0 on the day itself."""

    kind: Literal["enrolled"] = "enrolled"
    at_least_days: Days | None = None
    at_most_days: Days | None = None
    zone: Zone


class TierIs(Frozen):
    """The member's tier at the receipt's time is one of these."""

    kind: Literal["tier"] = "tier"
    tiers: Codes


class InHousehold(Frozen):
    """The member belongs to a household."""

    kind: Literal["household"] = "household"


class InSegment(Frozen):
    """The member belongs to one of these segments at the receipt's time."""

    kind: Literal["segment"] = "segment"
    segments: Codes


class InCampaign(Frozen):
    """The member has joined one of these campaigns, and not left it, at the receipt's time."""

    kind: Literal["campaign_member"] = "campaign_member"
    campaigns: Codes
