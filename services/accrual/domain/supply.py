"""What a rule set may ask for today: nothing may be published that this service cannot judge by facts."""

from services.accrual.domain.rules.rule_set import RuleSetDraft


def not_supplied(rule_set: RuleSetDraft) -> list[str]:
    """What the rule set asks for and nobody hands in, in words. Empty: it can be published."""
    asked = {"point types and terms of a rule's own": rule_set.has_parts}
    return [words for words, is_asked in asked.items() if is_asked]
