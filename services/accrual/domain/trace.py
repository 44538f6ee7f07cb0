"""An award's trace in plain words, for a support agent who must explain it to a member."""

from collections.abc import Iterator
from fractions import Fraction

from services.accrual.domain.evaluation import Applied, Evaluation, NotMatched, Outcome
from services.accrual.domain.rules import Multiplier, PointsPerAmount, Rule, RuleSet
from shared.money import format_money


def trace_in_words(evaluation: Evaluation, rule_set: RuleSet, currency: str) -> list[str]:
    """One sentence a fact: the base, then each rule in the order in which it was applied, then the sum."""
    return list(_sentences(evaluation, rule_set, currency))


def _sentences(evaluation: Evaluation, rule_set: RuleSet, currency: str) -> Iterator[str]:
    base = evaluation.base
    yield f"Judged by rule set {evaluation.rule_set_version}."
    if base.mapping_version:
        paths = sorted({" > ".join(path) for path in base.categories if path})
        yield f"By version {base.mapping_version} of its partner's mapping the lines count as {', '.join(paths)}."
    if base.excluded_skus:
        yield f"Articles that their partner excluded earn nothing: {', '.join(sorted(base.excluded_skus))}."
    if base.excluded_minor:
        kinds = ", ".join(rule_set.exclusions.tenders)
        yield (
            f"{format_money(base.excluded_minor, currency)} was paid by {kinds} and does not earn;"
            " it left all lines in proportion."
        )
    yield f"{format_money(base.total_minor, currency)} of the receipt earns."
    rules = {rule.id: rule for rule in rule_set.rules}
    for outcome in evaluation.outcomes:
        yield _outcome_in_words(outcome, rules[outcome.rule_id], rule_set.denominator, currency)
    yield f"In all: {evaluation.points} points."


def _outcome_in_words(outcome: Outcome, rule: Rule, denominator: int, currency: str) -> str:
    if isinstance(outcome, NotMatched):
        return (
            f"“{rule.name}” did not apply: {outcome.predicate} must be {outcome.required}, and was {outcome.observed}."
        )
    arithmetic = _arithmetic(outcome, rule, denominator, currency)
    return f"“{rule.name}”: {arithmetic}, rounded {_rounding(rule)} to {outcome.points} points."


def _arithmetic(outcome: Applied, rule: Rule, denominator: int, currency: str) -> str:
    exact = _decimal(Fraction(outcome.exact, denominator))
    match rule.effect:
        case PointsPerAmount(points=points, step_minor=step_minor):
            return (
                f"{points} points for each {format_money(step_minor, currency)} of"
                f" {format_money(outcome.amount_minor, currency)} gives {exact}"
            )
        case Multiplier(percent=percent):
            return f"{percent}% on the matching lines adds {exact}"


def _rounding(rule: Rule) -> str:
    return "down" if rule.rounding == "floor" else "half up"


def _decimal(value: Fraction) -> str:
    text = f"{float(value):.4f}".rstrip("0").rstrip(".")
    return text if Fraction(text) == value else f"about {text}"
