"""What a programme can say about earning, as data.

A rule set is an immutable, published version of all rules. A worker judges every receipt by the version in force at
the receipt's time, so that a replay, a return or a backtest next year gives the same points.
"""

import math
from collections.abc import Collection, Sequence
from datetime import datetime
from enum import IntEnum
from functools import cached_property
from typing import Annotated, Literal, NamedTuple, assert_never

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt, StringConstraints, model_validator

from shared.events.purchases import TenderKind

RULES_MAX = 200
# The largest step a rule may name keeps denominators, and so the arithmetic, within 64 bits a factor.
STEP_MINOR_MAX = 10_000_000
DENOMINATOR_MAX = 10**15

CodeText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[\x21-\x7e][\x20-\x7e]*$")
]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Phase(IntEnum):
    """The order in which rules are applied: what multiplies comes after what it multiplies."""

    BASE = 1
    MULTIPLIER = 2


class PointsPerAmount(_Frozen):
    """``points`` for each ``step_minor`` of the eligible amount, in proportion: the rule's rounding comes last."""

    kind: Literal["points_per_amount"] = "points_per_amount"
    points: Annotated[StrictInt, Field(gt=0, le=1_000_000)]
    step_minor: Annotated[StrictInt, Field(gt=0, le=STEP_MINOR_MAX)]


class Multiplier(_Frozen):
    """Multiplies what the base rules gave on the matching lines; 200 doubles it."""

    kind: Literal["multiplier"] = "multiplier"
    percent: Annotated[StrictInt, Field(gt=100, le=10_000)]


Effect = Annotated[PointsPerAmount | Multiplier, Field(discriminator="kind")]


class Condition(_Frozen):
    """Where a rule applies: at these partners, on lines of these categories. An empty list means everywhere."""

    partners: tuple[CodeText, ...] = ()
    categories: tuple[CodeText, ...] = ()


class Rule(_Frozen):
    """One earning rule. What it gives is exact until ``rounding`` makes whole points of it, once a receipt."""

    id: CodeText
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    condition: Condition = Condition()
    effect: Effect
    rounding: Literal["floor", "half_up"] = "floor"

    @property
    def phase(self) -> Phase:
        """When the rule is applied."""
        return Phase.MULTIPLIER if isinstance(self.effect, Multiplier) else Phase.BASE


class PlannedRule(NamedTuple):
    """A rule made ready to be applied to many receipts.

    No ``categories``: every line. A base rule gives ``per_minor`` of the denominator's parts for each minor unit, which
    is exact, since the denominator is a multiple of every step; a multiplier adds ``extra_percent`` instead.
    """

    rule: Rule
    categories: frozenset[str]
    per_minor: int
    extra_percent: int


class Exclusions(_Frozen):
    """What never earns: parts paid by these tenders (in proportion), and lines of these categories."""

    tenders: tuple[TenderKind, ...] = ("points",)
    categories: tuple[CodeText, ...] = ()


class RuleSetDraft(_Frozen):
    """A rule set before it has a version."""

    rules: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=RULES_MAX)]
    exclusions: Exclusions = Exclusions()
    expires_after_days: Annotated[StrictInt, Field(ge=1, le=3660)] | None = None

    @model_validator(mode="after")
    def _check(self) -> "RuleSetDraft":
        ids = [rule.id for rule in self.rules]
        doubled = sorted({rule_id for rule_id in ids if ids.count(rule_id) > 1})
        if doubled:
            raise ValueError(f"rule ids must differ; these stand twice: {', '.join(doubled)}")
        if "points" not in self.exclusions.tenders:
            raise ValueError("a part paid with points never earns: exclusions.tenders must name 'points'")
        if self.denominator > DENOMINATOR_MAX:
            raise ValueError(
                "the steps of the rules have no common multiple small enough: use rounder step_minor values"
            )
        return self

    @cached_property
    def denominator(self) -> int:
        """A multiple of every step times 100, so that exact points are whole numbers over it."""
        steps = [rule.effect.step_minor for rule in self.rules if isinstance(rule.effect, PointsPerAmount)]
        return math.lcm(1, *steps) * 100


class RuleSet(RuleSetDraft):
    """A published version, in force from ``effective_from`` until the next one."""

    version: Annotated[StrictInt, Field(ge=1)]
    effective_from: AwareDatetime

    @cached_property
    def in_order(self) -> tuple[Rule, ...]:
        """The rules in the order of their phases; within one, as the programme listed them."""
        return tuple(sorted(self.rules, key=lambda rule: rule.phase))

    @cached_property
    def _by_partner(self) -> dict[str, tuple[PlannedRule, ...]]:
        return {}

    def rules_for(self, partner_id: str) -> tuple[PlannedRule, ...]:
        """The rules that can apply at this partner, in order; found once a partner."""
        found = self._by_partner.get(partner_id)
        if found is None:
            found = self._by_partner[partner_id] = tuple(
                _planned(rule, self.denominator)
                for rule in self.in_order
                if not rule.condition.partners or partner_id in rule.condition.partners
            )
        return found


def _planned(rule: Rule, denominator: int) -> PlannedRule:
    categories = frozenset(rule.condition.categories)
    match rule.effect:
        case PointsPerAmount(points=points, step_minor=step_minor):
            return PlannedRule(rule, categories, points * (denominator // step_minor), 0)
        case Multiplier(percent=percent):
            return PlannedRule(rule, categories, 0, percent - 100)
        case _:
            assert_never(rule.effect)


class RuleSetHistory:
    """All published versions, by when they take effect. One that was ``withdrawn`` before never does."""

    def __init__(self, rule_sets: Sequence[RuleSet], withdrawn: Collection[int] = ()) -> None:
        self._newest_first = sorted(
            (rule_set for rule_set in rule_sets if rule_set.version not in withdrawn),
            key=lambda rule_set: (rule_set.effective_from, rule_set.version),
            reverse=True,
        )
        self._by_version = {rule_set.version: rule_set for rule_set in rule_sets}

    @property
    def begins_at(self) -> datetime | None:
        """When the first version took effect; None where there is none."""
        return self._newest_first[-1].effective_from if self._newest_first else None

    def at(self, moment: datetime) -> RuleSet | None:
        """The version in force at ``moment``, or None before the first."""
        for rule_set in self._newest_first:
            if rule_set.effective_from <= moment:
                return rule_set
        return None

    def version(self, version: int) -> RuleSet:
        """A version by its number, as frozen into an award.

        Raises:
            KeyError: this version was never published (or is not loaded yet).
        """
        return self._by_version[version]
