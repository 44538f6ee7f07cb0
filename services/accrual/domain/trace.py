"""An award's trace in plain words, for a support agent who must explain it to a member."""

from collections.abc import Iterator, Mapping
from datetime import UTC
from fractions import Fraction
from typing import assert_never

from services.accrual.domain.checks.of_receipt import units
from services.accrual.domain.evaluation import Evaluation
from services.accrual.domain.funding_words import paid_in_words
from services.accrual.domain.judged_event import JudgedEvent
from services.accrual.domain.outcomes import Applied, Lost, NotMatched, Outcome
from services.accrual.domain.point_words import in_points
from services.accrual.domain.rules import (
    Counted,
    FixedPoints,
    Multiplier,
    PointsPerAmount,
    PointsPerFullStep,
    PointsPerNumber,
    PointsPerQuantity,
    Rule,
    RuleSet,
    TierMultiplier,
)
from services.accrual.domain.settlement import settlements_in_words
from services.accrual.domain.terms_in_words import own_terms_in_words, waiting_in_words
from shared.money import format_money

_ROUNDINGS: Mapping[str, str] = {
    "floor": "down",
    "half_up": "half up",
    "half_even": "half to even",
    "ceiling": "up",
}


def trace_in_words(evaluation: Evaluation, rule_set: RuleSet, currency: str) -> list[str]:
    """One sentence a fact: the base, then each rule in the order in which it was applied, then the sum."""
    return list(_sentences(evaluation, rule_set, currency))


def _sentences(evaluation: Evaluation, rule_set: RuleSet, currency: str) -> Iterator[str]:
    yield f"Judged by rule set {evaluation.rule_set_version}."
    if (after := evaluation.facts.decided_after) is not None:
        yield (
            f"Decided late: a receipt of {after.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC had been decided before. Windows"
            " and caps hold what was decided by then, and no decision is made again."
        )
    if isinstance(evaluation.receipt, JudgedEvent):
        yield from _event_in_words(evaluation.receipt)
    else:
        yield from _base_in_words(evaluation, rule_set, currency)
    if rule_set.own_terms.pending is not None:
        yield f"Points {waiting_in_words(rule_set.own_terms.pending)}."
    rules = {rule.id: rule for rule in rule_set.rules}
    for outcome in evaluation.outcomes:
        said = _outcome_in_words(outcome, rules[outcome.rule_id], evaluation, currency)
        if isinstance(outcome, Applied) and outcome.points:
            terms = rule_set.terms_of(outcome.rule_id)
            said = said[:-1] + own_terms_in_words(terms, rule_set.own_terms, rule_set.expiry_counts_from) + "."
        yield said
    yield from paid_in_words(evaluation)
    yield f"In all: {in_points(evaluation.points)}."


def _base_in_words(evaluation: Evaluation, rule_set: RuleSet, currency: str) -> Iterator[str]:
    """What of a receipt earns at all, and why the rest does not."""
    base = evaluation.base
    if base.mapping_version:
        paths = sorted({" > ".join(path) for path in base.categories if path})
        yield f"By version {base.mapping_version} of its partner's mapping the lines count as {', '.join(paths)}."
    if base.excluded_skus:
        yield f"Articles that their partner excluded earn nothing: {', '.join(sorted(base.excluded_skus))}."
    if base.excluded_minor:
        excluded = rule_set.exclusions.tenders
        if rule_set.counted.prepayments == "at_payment" and not evaluation.receipt.purchase.prepaid_receipt_ids:
            excluded = (*excluded, "prepaid")
        kinds = ", ".join(dict.fromkeys(excluded))
        yield (
            f"{format_money(base.excluded_minor, currency)} was paid by {kinds} and does not earn;"
            " it left all lines in proportion."
        )
    yield from settlements_in_words(evaluation.receipt.purchase, rule_set.counted)
    yield from _counted_in_words(rule_set.counted)
    yield f"{format_money(base.total_minor, currency)} of the receipt earns."


def _event_in_words(event: JudgedEvent) -> Iterator[str]:
    said = ", ".join(f"{name} {event.said(name)}" for name in sorted(event.payload))
    yield f"It is an event of type {event.type_code}" + (f", which says {said}." if said else ".")


def _outcome_in_words(outcome: Outcome, rule: Rule, evaluation: Evaluation, currency: str) -> str:
    match outcome:
        case NotMatched(predicate=predicate, required=required, observed=observed):
            return f"“{rule.name}” did not apply: {predicate} must be {required}, and was {observed}."
        case Lost(group=group, winner_id=winner_id, points=points):
            weighed = "" if points is None else f" with {in_points(points)}"
            return f"“{rule.name}” gave way{weighed}: {winner_id} won group {group}."
        case Applied():
            arithmetic = _arithmetic(outcome, rule, evaluation, currency)
            given = in_points(outcome.rounded, rule.effect.point_type)
            trims = "".join(f"; {trim.cap} left {trim.to_points} of {trim.from_points}" for trim in outcome.trims)
            return f"“{rule.name}”: {arithmetic}, rounded {_rounding(rule)} to {given}{trims}."


def _counted_in_words(counted: Counted) -> Iterator[str]:
    if counted.tax == "left_out":
        yield "Lines count without the tax that they name."
    if counted.discounts == "included":
        yield "Lines count with the discount that they name put back."
    if counted.left_out:
        yield f"Lines of these kinds earn nothing: {', '.join(counted.left_out)}."


def _arithmetic(outcome: Applied, rule: Rule, evaluation: Evaluation, currency: str) -> str:
    exact = _decimal(Fraction(outcome.exact, evaluation.rule_set.denominator))
    match rule.effect:
        case PointsPerAmount(points=points, step_minor=step_minor):
            return (
                f"{in_points(points)} for each {format_money(step_minor, currency)} of"
                f" {format_money(outcome.amount_minor, currency)} gives {exact}"
            )
        case PointsPerFullStep(points=points, step_minor=step_minor):
            return (
                f"{in_points(points)} for each full {format_money(step_minor, currency)} of"
                f" {format_money(outcome.amount_minor, currency)} gives {exact}"
            )
        case PointsPerQuantity(points=points, step_thousandths=step_thousandths):
            return f"{in_points(points)} for each {units(step_thousandths)} of the matching lines gives {exact}"
        case Multiplier(percent=percent):
            return f"{percent}% on {_multiplied(rule)} adds {exact}"
        case TierMultiplier():
            member = evaluation.facts.member
            return f"{member.tier_percent}%, as tier {member.tier} has it, on {_multiplied(rule)} adds {exact}"
        case FixedPoints(per="receipt"):
            return f"{'an event' if rule.condition.events else 'a receipt'} gives {exact}"
        case FixedPoints():
            return f"each matching line gives {rule.effect.points}, in all {exact}"
        case PointsPerNumber(points=points, step=step, property=name, counted=counted):
            full = "full " if counted == "full_steps" else ""
            return f"{in_points(points)} for each {full}{step} of {name} gives {exact}"
        case _:
            assert_never(rule.effect)


def _multiplied(rule: Rule) -> str:
    return "what the event gave" if rule.condition.events else "the matching lines"


def _rounding(rule: Rule) -> str:
    words = _ROUNDINGS[rule.rounding]
    return words if rule.rounding_per == "receipt" else f"{words} line by line"


def _decimal(value: Fraction) -> str:
    text = f"{float(value):.4f}".rstrip("0").rstrip(".")
    return text if Fraction(text) == value else f"about {text}"
