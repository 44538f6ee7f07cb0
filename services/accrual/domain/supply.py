"""What a rule set may ask for today: nothing may be published that this service cannot judge by facts."""

from services.accrual.domain.rules.rule_set import RuleSetDraft


def not_supplied(rule_set: RuleSetDraft) -> list[str]:
    """What the rule set asks for and nobody hands in, in words. Empty: it can be published."""
    asked = {"point types and terms of a rule's own": _waits_or_is_of_other_types(rule_set)}
    return [words for words, is_asked in asked.items() if is_asked]


def _waits_or_is_of_other_types(rule_set: RuleSetDraft) -> bool:
    """Whoever pays for points, and whatever they may be spent on."""
    own, kinds = rule_set.own_terms, len(("point_type", "pending", "expiry"))
    return own.pending is not None or any(rule_set.terms_of(rule.id)[:kinds] != own[:kinds] for rule in rule_set.rules)
