"""What a rule gives on the lines that match it, before any rounding: whole numbers over the rule set's denominator."""

from collections.abc import Callable, Sequence
from typing import TypeAlias, assert_never

from services.accrual.domain.earning_base import counted_amounts
from services.accrual.domain.judged_receipt import JudgedReceipt
from services.accrual.domain.rules.counted import Counted
from services.accrual.domain.rules.effects import (
    FixedPoints,
    Multiplier,
    PointsPerAmount,
    PointsPerFullStep,
    PointsPerNumber,
    PointsPerQuantity,
    TierMultiplier,
)
from services.accrual.domain.rules.rule import Rule
from shared.money import share_out

# What a rule gives on lines that match, exactly, line by line; given too is what base rules gave.
ExactByLine: TypeAlias = Callable[[JudgedReceipt, Sequence[int], Sequence[int]], list[int]]


def exact_points_by_line(
    rule: Rule, denominator: int, counted: Counted, per_minor: int, extra_percent: int
) -> ExactByLine:
    """How to find what this rule gives. ``per_minor`` and ``extra_percent`` are as those of a planned rule."""
    match rule.effect:
        case PointsPerAmount():
            return lambda receipt, lines, _: [receipt.base.amounts_minor[line] * per_minor for line in lines]
        case Multiplier():
            # Exact: each line's base is a multiple of denominator / step, and so of 100.
            return lambda _, lines, given: [given[line] * extra_percent // 100 for line in lines]
        case TierMultiplier():
            return _as_the_tier_says
        case PointsPerFullStep(points=points, step_minor=step_minor):
            return _full_steps(points, step_minor, denominator)
        case PointsPerQuantity(points=points, step_thousandths=step_thousandths):
            return _per_quantity(points * (denominator // step_thousandths), counted)
        case FixedPoints(points=points):
            exact = points * denominator  # a line; once a receipt is a rule's ``once``
            return lambda receipt, lines, _: [exact if receipt.base.amounts_minor[line] else 0 for line in lines]
        case PointsPerNumber():
            return _per_number(rule.effect, denominator)
        case _:
            assert_never(rule.effect)


def _as_the_tier_says(receipt: JudgedReceipt, lines: Sequence[int], given: Sequence[int]) -> list[int]:
    """As a multiplier of the percentage that the member's tier had at the receipt's time; exact like that one."""
    extra_percent = (receipt.facts.member.tier_percent or 100) - 100
    return [given[line] * extra_percent // 100 for line in lines]


def _full_steps(points: int, step_minor: int, denominator: int) -> ExactByLine:
    def exact_by_line(receipt: JudgedReceipt, lines: Sequence[int], _: Sequence[int]) -> list[int]:
        amounts = [receipt.base.amounts_minor[line] for line in lines]
        return [share * denominator for share in share_out(sum(amounts) // step_minor * points, amounts)]

    return exact_by_line


def _per_number(effect: PointsPerNumber, denominator: int) -> ExactByLine:
    """Of a member event, which is one line: points of the number that it says."""

    def exact_by_line(receipt: JudgedReceipt, lines: Sequence[int], _: Sequence[int]) -> list[int]:
        number = receipt.number_said(effect.property)
        if effect.counted == "full_steps":
            return [number // effect.step * effect.points * denominator for _ in lines]
        return [number * effect.points * (denominator // effect.step) for _ in lines]

    return exact_by_line


def _per_quantity(per_thousandth: int, counted: Counted) -> ExactByLine:
    def exact_by_line(receipt: JudgedReceipt, lines: Sequence[int], _: Sequence[int]) -> list[int]:
        base, kept = receipt.base, receipt.kept
        if not base.excluded_minor:
            return [kept[line] * per_thousandth if base.amounts_minor[line] else 0 for line in lines]
        # As much of a line's quantity as of its amount, in whole thousandths.
        whole = counted_amounts(receipt.purchase, counted, receipt.returned)
        return [
            kept[line] * base.amounts_minor[line] // whole[line] * per_thousandth if base.amounts_minor[line] else 0
            for line in lines
        ]

    return exact_by_line
