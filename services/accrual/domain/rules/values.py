"""The words that all rules are written in: codes, names, bounds, zones and windows of time.

Whose midnight a day ends at is always named: the programme's own zone, or the zone of the store that sold. A
member event has no store: for it the store's zone is the programme's.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints

RULES_MAX = 200
# The largest step a rule may name keeps denominators, and so the arithmetic, within 64 bits a factor.
STEP_MINOR_MAX = 10_000_000
STEP_THOUSANDTHS_MAX = 10_000_000
STEP_NUMBER_MAX = 10_000_000
DENOMINATOR_MAX = 10**15
POINTS_OF_A_RULE_MAX = 1_000_000
# Sums of points and of money that a programme may name: far beyond any, and whole numbers that a database can hold.
SUM_MAX = 10**12
CODES_MAX = 1_000
DAYS_MAX = 3_660
ROLLING_DAYS_MAX = 400

CodeText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[\x21-\x7e][\x20-\x7e]*$")
]
NameText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Codes = Annotated[tuple[CodeText, ...], Field(min_length=1, max_length=CODES_MAX)]
Days = Annotated[StrictInt, Field(ge=0, le=DAYS_MAX)]
Minor = Annotated[StrictInt, Field(ge=0, le=SUM_MAX)]
Count = Annotated[StrictInt, Field(ge=1, le=SUM_MAX)]
RulePoints = Annotated[StrictInt, Field(gt=0, le=POINTS_OF_A_RULE_MAX)]

Zone = Literal["programme", "store"]


class Frozen(BaseModel):
    """A value that cannot change; a field that nobody knows is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CalendarWindow(Frozen):
    """The day, week (from Monday), month, quarter or year that the receipt's time falls into."""

    kind: Literal["calendar"] = "calendar"
    unit: Literal["day", "week", "month", "quarter", "year"]
    zone: Zone = "programme"


class RollingWindow(Frozen):
    """The receipt's day and those before it, ``days`` in all."""

    kind: Literal["rolling"] = "rolling"
    days: Annotated[StrictInt, Field(ge=1, le=ROLLING_DAYS_MAX)]
    zone: Zone = "programme"


class WholeTime(Frozen):
    """All time; of a campaign's cap, all of the campaign."""

    kind: Literal["ever"] = "ever"


Window = Annotated[CalendarWindow | RollingWindow | WholeTime, Field(discriminator="kind")]
