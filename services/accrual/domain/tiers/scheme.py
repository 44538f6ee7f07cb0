"""What a programme can say about tiers, as data.

A scheme is an immutable, published version of the whole ladder, in force from a time until the next version. The lowest
tier needs nothing and is everybody's; each tier above it needs more than the one below.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt, StringConstraints, model_validator

TIERS_MAX = 20
PRIVILEGES_MAX = 50
NEEDED_MAX = 10**12
PERIOD_DAYS_MAX = 1_100
PERIOD_MONTHS_MAX = 36

TierCode = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
TierName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Needed = Annotated[StrictInt, Field(gt=0, le=NEEDED_MAX)]

CalendarUnit = Literal["year", "half", "quarter", "month"]
MONTHS_OF: dict[CalendarUnit, int] = {"year": 12, "half": 6, "quarter": 3, "month": 1}
DAYS_OF_SHORTEST_MONTH = 28


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Needs(_Frozen):
    """What a tier needs within a period: points, spend in minor units, visits. What is absent does not count."""

    points: Needed | None = None
    spend_minor: Needed | None = None
    visits: Needed | None = None

    @cached_property
    def named(self) -> dict[str, int]:
        """Those that count, by name."""
        return {name: value for name, value in self if value is not None}


class Benefits(_Frozen):
    """What a tier entitles to.

    What base rules give is multiplied by ``multiplier_percent`` where the rules say so (``tier_multiplier``), which
    publication sees to. ``privileges`` are data for the programme's other parts, and for its partners.
    """

    multiplier_percent: Annotated[StrictInt, Field(ge=100, le=10_000)] | None = None
    privileges: Annotated[tuple[TierCode, ...], Field(max_length=PRIVILEGES_MAX)] = ()


class Tier(_Frozen):
    """One rung of the ladder. The lowest has no ``needs``; every other has."""

    code: TierCode
    name: TierName
    needs: Needs | None = None
    benefits: Benefits = Benefits()


class RollingDays(_Frozen):
    """The last ``days`` days, today included."""

    kind: Literal["rolling_days"] = "rolling_days"
    days: Annotated[StrictInt, Field(ge=1, le=PERIOD_DAYS_MAX)]


class RollingMonths(_Frozen):
    """What lies less than ``months`` months back."""

    kind: Literal["rolling_months"] = "rolling_months"
    months: Annotated[StrictInt, Field(ge=1, le=PERIOD_MONTHS_MAX)]


class CalendarPeriods(_Frozen):
    """Years, halves, quarters or months of the calendar."""

    kind: Literal["calendar"] = "calendar"
    unit: CalendarUnit


class AnniversaryPeriods(_Frozen):
    """Periods of ``months`` that begin on the day of enrolment; of 29 February, on the 28th where there is none."""

    kind: Literal["anniversary"] = "anniversary"
    months: Annotated[StrictInt, Field(ge=1, le=PERIOD_MONTHS_MAX)] = 12


Period = Annotated[RollingDays | RollingMonths | CalendarPeriods | AnniversaryPeriods, Field(discriminator="kind")]


class TierSchemeDraft(_Frozen):
    """A scheme before it has a version.

    ``meets``: whether one of a tier's needs is enough, or all are wanted. ``upgrade``: a tier that is reached holds at
    once, or with the next period. ``downgrade``: what time takes from a member who did not qualify again: nothing, one
    tier, or everything above what was reached; whoever comes within ``soft_landing_percent`` of the tier's needs loses
    one tier only. ``grace_days``: how much longer a tier holds before that. ``on_reversal``: whether a return leaves a
    tier until its period ends, or takes at once what is not earned any more. ``visits_per_day_max``: how many receipts
    of one day count as visits. ``points_of`` is the point type whose points count; absent, the programme's own. Days
    are those of ``zone``.
    """

    tiers: Annotated[tuple[Tier, ...], Field(min_length=2, max_length=TIERS_MAX)]
    meets: Literal["any", "all"] = "any"
    points_of: TierCode | None = None
    period: Period
    zone: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    upgrade: Literal["at_once", "next_period"] = "at_once"
    downgrade: Literal["none", "one_step", "full"] = "full"
    grace_days: Annotated[StrictInt, Field(ge=0, le=366)] = 0
    soft_landing_percent: Annotated[StrictInt, Field(ge=1, le=99)] | None = None
    on_reversal: Literal["keep", "regrade"] = "keep"
    visits_per_day_max: Annotated[StrictInt, Field(ge=1, le=1_000)] | None = None

    @model_validator(mode="after")
    def _check(self) -> "TierSchemeDraft":
        for fault in _faults(self):
            raise ValueError(fault)
        return self

    @cached_property
    def ranks(self) -> dict[str, int]:
        """The place of each tier on the ladder, by code; the lowest is 0."""
        return {tier.code: rank for rank, tier in enumerate(self.tiers)}

    @cached_property
    def days_zone(self) -> ZoneInfo:
        """The zone in which a day begins and ends."""
        return ZoneInfo(self.zone)

    @cached_property
    def percents(self) -> dict[str, int]:
        """What each tier multiplies by, by code; 100 where it adds nothing."""
        return {tier.code: tier.benefits.multiplier_percent or 100 for tier in self.tiers}

    @cached_property  # asked of every member that is graded, and models are slow to ask what they are
    def is_rolling(self) -> bool:
        """Whether every day has a window of its own, and not every period."""
        return isinstance(self.period, RollingDays | RollingMonths)


class TierScheme(TierSchemeDraft):
    """A published version, in force from ``effective_from`` until the next one."""

    version: Annotated[StrictInt, Field(ge=1)]
    effective_from: AwareDatetime

    def rank_of(self, code: str) -> int | None:
        """A tier's place; None where this version has no such tier."""
        return self.ranks.get(code)


def _faults(draft: TierSchemeDraft) -> Iterator[str]:
    codes = [tier.code for tier in draft.tiers]
    if doubled := sorted({code for code in codes if codes.count(code) > 1}):
        yield f"codes of tiers must differ; these stand twice: {', '.join(doubled)}"
    yield from _faults_of_needs(draft.tiers)
    try:
        ZoneInfo(draft.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield "zone must name a time zone of the IANA database, as Europe/Berlin"
    if draft.soft_landing_percent is not None and draft.downgrade != "full":
        yield "soft_landing_percent softens a full downgrade: name it with downgrade 'full' only"
    if draft.upgrade == "next_period" and draft.is_rolling:
        yield "upgrade 'next_period' wants periods that begin and end: calendar or anniversary"
    if draft.grace_days >= _days_min(draft):
        yield "grace_days must end before the period after it does: fewer days, or a longer period"


def _faults_of_needs(tiers: Sequence[Tier]) -> Iterator[str]:
    if tiers[0].needs is not None:
        yield f"tiers: the lowest, {tiers[0].code}, is everybody's and has no needs"
    above = [(tier.code, tier.needs.named if tier.needs is not None else {}) for tier in tiers[1:]]
    for code, named in above:
        if not named:
            yield f"tiers: {code} needs points, spend_minor or visits: only the lowest needs nothing"
    for (low, lower), (high, higher) in pairwise(above):
        if lower.keys() != higher.keys():
            yield f"tiers: {low} and {high} must name the same needs, else one could be reached before the other"
        elif any(higher[name] <= lower[name] for name in lower):
            yield f"tiers: {high} must need more than {low} of each"


def _days_min(draft: TierSchemeDraft) -> int:
    """More days than any grace may have; a rolling window always has a next day."""
    match draft.period:
        case CalendarPeriods(unit=unit):
            return MONTHS_OF[unit] * DAYS_OF_SHORTEST_MONTH
        case AnniversaryPeriods(months=months):
            return months * DAYS_OF_SHORTEST_MONTH
        case _:
            return PERIOD_DAYS_MAX


class TierSchemeHistory:
    """All published versions, by when they take effect."""

    def __init__(self, schemes: Sequence[TierScheme] = ()) -> None:
        self._in_order = sorted(schemes, key=lambda scheme: (scheme.effective_from, scheme.version))

    @property
    def is_empty(self) -> bool:
        """Whether no scheme was ever published."""
        return not self._in_order

    @property
    def last(self) -> TierScheme | None:
        """The version that takes effect last of all so far: it is in force for good, or will be."""
        return self._in_order[-1] if self._in_order else None

    def at(self, moment: datetime) -> TierScheme | None:
        """The version in force at ``moment``; None before the first."""
        for scheme in reversed(self._in_order):
            if scheme.effective_from <= moment:
                return scheme
        return None

    def after(self, scheme: TierScheme) -> TierScheme | None:
        """The version that takes over from ``scheme``; None where it is the last so far."""
        place = self._in_order.index(scheme) + 1
        return self._in_order[place] if place < len(self._in_order) else None

    def between(self, moment: datetime, later: datetime) -> list[TierScheme]:
        """The versions that take over after ``moment`` and by ``later``."""
        return [scheme for scheme in self._in_order if moment < scheme.effective_from <= later]

    def versions_but(self, scheme: TierScheme) -> list[int]:
        """The numbers of all other versions."""
        return [each.version for each in self._in_order if each != scheme]

    def version(self, version: int) -> TierScheme:
        """A version by its number.

        Raises:
            KeyError: it was never published, or is not read yet.
        """
        for scheme in self._in_order:
            if scheme.version == version:
                return scheme
        raise KeyError(version)
