"""One earning rule: what it is called, when and where it applies, what it gives, and how that is made whole points."""

from enum import IntEnum
from typing import Annotated, Literal

from pydantic import Field, StrictInt, model_validator

from services.accrual.domain.rules.caps import Cap
from services.accrual.domain.rules.effects import Effect, FixedPoints, Multiplier, TierMultiplier
from services.accrual.domain.rules.expiry import ExpiryPolicy
from services.accrual.domain.rules.funding import Basis, FundingTerms, SpendingLimits
from services.accrual.domain.rules.line_tests import LineTest
from services.accrual.domain.rules.pending import PendingPolicy
from services.accrual.domain.rules.predicates import Predicate
from services.accrual.domain.rules.values import DAYS_MAX, CodeText, Days, Frozen, NameText
from services.accrual.domain.rules.walking import predicates_in

PREDICATES_MAX = 100
CAPS_MAX = 10
EVENT_TYPES_MAX = 50

Rounding = Literal["floor", "half_up", "half_even", "ceiling"]


class Phase(IntEnum):
    """The order in which rules are applied: what multiplies comes after what it multiplies, fixed points last."""

    BASE = 1
    MULTIPLIER = 2
    FIXED = 3


class Condition(Frozen):
    """Where a rule applies: at these partners, on lines of these categories. An empty list means everywhere.

    ``lines`` narrows the lines further; ``when`` is what must be true of the receipt, its time and its member. The rule
    gives points on the lines that match both, and nothing where none does.

    ``events`` make it a rule of member events of these types, and of no purchase. It names no partners and no lines.
    """

    partners: tuple[CodeText, ...] = ()
    categories: tuple[CodeText, ...] = ()
    lines: LineTest | None = None
    when: Predicate | None = None
    events: Annotated[tuple[CodeText, ...], Field(max_length=EVENT_TYPES_MAX)] = ()


class Rule(Frozen):
    """One earning rule. What it gives is exact until ``rounding`` makes whole points of it, once a receipt or a line.

    ``apply_in`` takes a rule that would be a base rule out of what multipliers see. Of the rules of a ``group`` one
    gives points. ``pending`` and ``expiry``, or in short ``pending_days`` (0: none) and ``expires_after_days``, stand
    in for those of the rule set; ``funding`` (who pays), ``limits`` (what the points may be spent on) and ``basis``
    (why they are given) for those of its campaign.
    """

    id: CodeText
    name: NameText
    condition: Condition = Condition()
    effect: Effect
    rounding: Rounding = "floor"
    rounding_per: Literal["receipt", "line"] = "receipt"
    apply_in: Literal["base", "fixed"] | None = None
    group: CodeText | None = None
    campaign: CodeText | None = None
    caps: Annotated[tuple[Cap, ...], Field(max_length=CAPS_MAX)] = ()
    pending_days: Days | None = None
    expires_after_days: Annotated[StrictInt, Field(ge=1, le=DAYS_MAX)] | None = None
    pending: PendingPolicy | None = None
    expiry: ExpiryPolicy | None = None
    funding: FundingTerms | None = None
    limits: SpendingLimits | None = None
    basis: Basis | None = None

    @model_validator(mode="after")
    def _check(self) -> "Rule":
        if self.pending_days is not None and self.pending is not None:
            raise ValueError("say how long points wait in pending_days or in pending, one of the two")
        if self.expires_after_days is not None and self.expiry is not None:
            raise ValueError("say how long points last in expires_after_days or in expiry, one of the two")
        if self.effect.point_type is not None and (self.funding or self.limits or self.basis):
            raise ValueError("only the programme's own points have payers, limits and a basis: leave them out")
        if self.apply_in == "base" and isinstance(self.effect, FixedPoints):
            raise ValueError("fixed points are never multiplied: leave apply_in out")
        if self.apply_in is not None and isinstance(self.effect, Multiplier | TierMultiplier):
            raise ValueError("a multiplier has a phase of its own: leave apply_in out")
        if self.condition.when is not None and sum(1 for _ in predicates_in(self.condition.when)) > PREDICATES_MAX:
            raise ValueError(f"a condition has at most {PREDICATES_MAX} predicates: make several rules of it")
        return self

    @property
    def phase(self) -> Phase:
        """When the rule is applied."""
        if isinstance(self.effect, Multiplier | TierMultiplier):
            return Phase.MULTIPLIER
        return Phase.FIXED if self.apply_in == "fixed" or isinstance(self.effect, FixedPoints) else Phase.BASE


class Group(Frozen):
    """Rules of which one gives points: the ``first`` that does, in the order of the rule set, or the ``best``.

    The best is the one that gives most points before caps; the first among equals.
    """

    id: CodeText
    choice: Literal["first", "best"]
