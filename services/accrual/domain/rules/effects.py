"""What a rule gives. Points stay exact until the rule's rounding."""

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from services.accrual.domain.rules.values import (
    STEP_MINOR_MAX,
    STEP_NUMBER_MAX,
    STEP_THOUSANDTHS_MAX,
    CodeText,
    Frozen,
    RulePoints,
)


class _Effect(Frozen):
    """``point_type`` is what is given: absent, the programme's own points."""

    point_type: CodeText | None = None


class PointsPerAmount(_Effect):
    """``points`` for each ``step_minor`` of the eligible amount, in proportion: the rule's rounding comes last."""

    kind: Literal["points_per_amount"] = "points_per_amount"
    points: RulePoints
    step_minor: Annotated[StrictInt, Field(gt=0, le=STEP_MINOR_MAX)]


class PointsPerFullStep(_Effect):
    """``points`` for each full ``step_minor`` of the eligible amount; what is left of a step gives nothing.

    The matching lines share them in proportion to their amounts, in whole points by largest remainder, the lowest line
    first: multipliers read these shares.
    """

    kind: Literal["points_per_full_step"] = "points_per_full_step"
    points: RulePoints
    step_minor: Annotated[StrictInt, Field(gt=0, le=STEP_MINOR_MAX)]


class PointsPerQuantity(_Effect):
    """``points`` for each ``step_thousandths`` of a unit, in proportion: 1000 is a piece, a litre or a kilogram.

    A line earns for as much of its quantity as of its amount: what an excluded tender paid leaves both.
    """

    kind: Literal["points_per_quantity"] = "points_per_quantity"
    points: RulePoints
    step_thousandths: Annotated[StrictInt, Field(gt=0, le=STEP_THOUSANDTHS_MAX)] = 1_000


class Multiplier(_Effect):
    """Multiplies what the base rules gave on the matching lines; 200 doubles it. Several add up: twice 200 is 300."""

    kind: Literal["multiplier"] = "multiplier"
    percent: Annotated[StrictInt, Field(gt=100, le=10_000)]


class TierMultiplier(_Effect):
    """Multiplies what the base rules gave on the matching lines as the member's tier entitles to.

    By how much says the tier scheme in force at the receipt's time (``benefits.multiplier_percent``); a tier that has
    none adds nothing. It adds up with multipliers as one of that percentage would.
    """

    kind: Literal["tier_multiplier"] = "tier_multiplier"


class FixedPoints(_Effect):
    """``points`` once a receipt, or once for each line that matches; once a member event. Never multiplied."""

    kind: Literal["fixed_points"] = "fixed_points"
    points: RulePoints
    per: Literal["receipt", "line"] = "receipt"


class PointsPerNumber(_Effect):
    """Of a member event: ``points`` for each ``step`` of a whole number in its payload.

    For full steps alone, or in proportion. An event that does not say the number gets nothing.
    """

    kind: Literal["points_per_number"] = "points_per_number"
    property: CodeText
    points: RulePoints
    step: Annotated[StrictInt, Field(gt=0, le=STEP_NUMBER_MAX)] = 1
    counted: Literal["full_steps", "in_proportion"] = "full_steps"


Effect = Annotated[
    PointsPerAmount
    | PointsPerFullStep
    | PointsPerQuantity
    | Multiplier
    | TierMultiplier
    | FixedPoints
    | PointsPerNumber,
    Field(discriminator="kind"),
]
