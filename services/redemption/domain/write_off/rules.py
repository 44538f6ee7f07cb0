"""Write-off rules as data: a document, and which version of it was in force when.

A checkout is priced by the version in force at its own time. Amounts are minor units of the programme's currency; days
are the programme's, and a last day counts to its last second.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt, StringConstraints, model_validator

from shared.as_written import Day

RATES_MAX = 200
LIMITS_MAX = 200
FLOORS_MAX = 1_000
CODES_MAX = 1_000
# One point is worth 10,000 in the main unit at the most, and one minor unit costs a million points at the most.
RATE_MAX = 1_000_000
SUM_MAX = 10**12
DAYS_MAX = 3_660

CodeText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[\x21-\x7e][\x20-\x7e]*$")
]
NameText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Codes = Annotated[tuple[CodeText, ...], Field(min_length=1, max_length=CODES_MAX)]
Percent = Annotated[StrictInt, Field(ge=0, le=100)]
_Amount = Annotated[StrictInt, Field(ge=0, le=SUM_MAX)]
_Points = Annotated[StrictInt, Field(ge=1, le=SUM_MAX)]
_RateNumber = Annotated[StrictInt, Field(ge=1, le=RATE_MAX)]


class Frozen(BaseModel):
    """A value that cannot change; a field that nobody knows is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Where(Frozen):
    """At which partners, for members of which tiers, on which days. What is not said does not matter."""

    partners: Codes | None = None
    tiers: Codes | None = None
    first_day: Day | None = None
    last_day: Day | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "Where":
        if self.first_day is not None and self.last_day is not None and self.last_day < self.first_day:
            raise ValueError("last_day lies before first_day")
        return self

    def holds(self, partner_id: str, tier: str | None, day: date) -> bool:
        """Whether a checkout is meant."""
        return (
            (self.partners is None or partner_id in self.partners)
            and (self.tiers is None or tier in self.tiers)
            and (self.first_day is None or day >= self.first_day)
            and (self.last_day is None or day <= self.last_day)
        )

    @property
    def is_everywhere(self) -> bool:
        """Whether every checkout is meant."""
        return self == EVERYWHERE


EVERYWHERE = Where()


class Rate(Frozen):
    """What goods cost in points: ``points`` for ``per_minor`` of their price. ``categories`` are the programme's own,
    each with all below it."""

    id: CodeText
    name: NameText
    where: Where = EVERYWHERE
    categories: Codes | None = None
    points: _RateNumber
    per_minor: _RateNumber


class Limit(Frozen):
    """What binds a checkout where it applies; of several limits each binds.

    ``share_percent_max``: of the receipt's total, points pay no more than that. ``points_step``: only multiples of it.
    ``balance_min``: whoever has less spends nothing yet. ``days_after_enrolment``: so many whole days must have passed.
    """

    id: CodeText
    name: NameText
    where: Where = EVERYWHERE
    points_min: _Points | None = None
    points_max: _Points | None = None
    points_step: _Points | None = None
    share_percent_max: Percent | None = None
    balance_min: _Points | None = None
    days_after_enrolment: Annotated[StrictInt, Field(ge=1, le=DAYS_MAX)] | None = None

    @model_validator(mode="after")
    def _binds_something(self) -> "Limit":
        bounds = (
            self.points_min,
            self.points_max,
            self.points_step,
            self.share_percent_max,
            self.balance_min,
            self.days_after_enrolment,
        )
        if all(bound is None for bound in bounds):
            raise ValueError("a limit says at least one bound")
        if self.points_min is not None and self.points_max is not None and self.points_max < self.points_min:
            raise ValueError("points_max lies below points_min: nothing could ever be spent")
        return self


class Floor(Frozen):
    """What the price of goods does not fall below, points being a discount: a price for each unit (``unit_minor``), or
    ``percent`` of the line. Of several floors of a line the highest counts."""

    id: CodeText
    partner_id: CodeText | None = None
    skus: Codes | None = None
    categories: Codes | None = None
    unit_minor: _Amount | None = None
    percent: Percent | None = None

    @model_validator(mode="after")
    def _is_of_some_goods(self) -> "Floor":
        if (self.unit_minor is None) == (self.percent is None):
            raise ValueError("say unit_minor or percent, one of the two")
        if self.skus is None and self.categories is None:
            raise ValueError("say of which skus or categories")
        if self.skus is not None and self.partner_id is None:
            raise ValueError("skus are a partner's own: say partner_id")
        return self


class Excluded(Frozen):
    """Goods that points never pay for: by category, or as a partner has called them."""

    categories: tuple[CodeText, ...] = Field(default=(), max_length=CODES_MAX)
    skus: tuple["ExcludedSkus", ...] = Field(default=(), max_length=CODES_MAX)


class ExcludedSkus(Frozen):
    """Articles of one partner."""

    partner_id: CodeText
    skus: Codes


class WriteOffRulesDraft(Frozen):
    """Write-off rules before they have a version. Of the ``rates`` the first that fits prices a line, so the order
    tells a promotion from the rule, and the last one fits always. ``spenders``: whether a member spends what others of
    the household lend."""

    rates: Annotated[tuple[Rate, ...], Field(min_length=1, max_length=RATES_MAX)]
    limits: Annotated[tuple[Limit, ...], Field(max_length=LIMITS_MAX)] = ()
    floors: Annotated[tuple[Floor, ...], Field(max_length=FLOORS_MAX)] = ()
    excluded: Excluded = Excluded()
    spenders: Literal["member", "household"] = "household"

    @model_validator(mode="after")
    def _check(self) -> "WriteOffRulesDraft":
        for what, ids in (
            ("rate", [rate.id for rate in self.rates]),
            ("limit", [limit.id for limit in self.limits]),
            ("floor", [floor.id for floor in self.floors]),
        ):
            _refuse_doubled(what, ids)
        *others, last = self.rates
        if last.categories is not None or not last.where.is_everywhere:
            raise ValueError("the last rate must fit all goods, everywhere: else some would have no price in points")
        for rate in others:
            if rate.categories is None and rate.where.is_everywhere:
                raise ValueError(f"no rate after {rate.id} is ever reached: it fits all goods, everywhere")
        return self


class WriteOffRules(WriteOffRulesDraft):
    """A published version."""

    version: int
    effective_from: AwareDatetime


class WriteOffHistory:
    """All published versions, and the one in force at a moment."""

    def __init__(self, versions: Sequence[WriteOffRules] = (), withdrawn: Collection[int] = ()) -> None:
        counting = [one for one in versions if one.version not in withdrawn]
        self._newest_first = sorted(counting, key=lambda one: one.effective_from, reverse=True)
        self._by_version: Mapping[int, WriteOffRules] = {one.version: one for one in versions}

    def at(self, moment: datetime) -> WriteOffRules | None:
        """The version in force then; None before the first."""
        return next((one for one in self._newest_first if one.effective_from <= moment), None)

    def version(self, number: int) -> WriteOffRules:
        """A version by its number, as a quote names it.

        Raises:
            KeyError: it was never published, or has not been read yet.
        """
        return self._by_version[number]


def _refuse_doubled(what: str, names: Iterable[str]) -> None:
    names = list(names)
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ValueError(f"{what} ids must differ; these stand twice: {', '.join(doubled)}")
