"""Multipliers that a tier scheme promises, and rules that do not keep them. Pure."""

from collections.abc import Iterator

from services.accrual.domain.rules import Multiplier, Rule, RuleSetDraft, TierMultiplier
from services.accrual.domain.rules.predicates import AllOf, Predicate
from services.accrual.domain.rules.predicates_of_member import TierIs
from services.accrual.domain.tiers.scheme import Tier, TierSchemeDraft
from shared.faults import Fault

_HOW = "a rule with the effect tier_multiplier does it, or one that multiplies by {percent}% for that tier"


def unkept(rules: RuleSetDraft, scheme: TierSchemeDraft) -> Iterator[tuple[int, Tier]]:
    """The tiers, by their place, whose multiplier no rule of purchases gives, of the programme's own points."""
    ours = [rule for rule in rules.rules if rule.effect.point_type is None and not rule.condition.events]
    if any(isinstance(rule.effect, TierMultiplier) for rule in ours):
        return
    for at, tier in enumerate(scheme.tiers):
        percent = scheme.percents[tier.code]
        if percent > 100 and not any(_gives(rule, tier.code, percent) for rule in ours):
            yield at, tier


def promise_faults(rules: RuleSetDraft, scheme: TierSchemeDraft | None) -> Iterator[Fault]:
    """What rules do not keep of a scheme that will be in force whenever they are."""
    for _, tier in unkept(rules, scheme) if scheme is not None else ():
        percent = tier.benefits.multiplier_percent
        detail = f"tier {tier.code} multiplies by {percent}%, and no rule says so: {_HOW.format(percent=percent)}"
        yield Fault("/rules", detail)


def scheme_faults(scheme: TierSchemeDraft, rules: RuleSetDraft, version: int) -> Iterator[Fault]:
    """What a scheme promises, and a version of the rules that is in force beside it does not keep."""
    for at, tier in unkept(rules, scheme):
        how = _HOW.format(percent=tier.benefits.multiplier_percent)
        detail = f"no rule of rule set {version}, in force then, multiplies so: {how}. Publish such rules first"
        yield Fault(f"/tiers/{at}/benefits/multiplier_percent", detail)


def _gives(rule: Rule, code: str, percent: int) -> bool:
    is_by_so_much = isinstance(rule.effect, Multiplier) and rule.effect.percent == percent
    return is_by_so_much and rule.condition.when is not None and _asks_for(rule.condition.when, code)


def _asks_for(predicate: Predicate, code: str) -> bool:
    match predicate:
        case TierIs(tiers=tiers):
            return code in tiers
        case AllOf(of=all_of):
            return any(_asks_for(each, code) for each in all_of)
        case _:
            return False
