"""A recorded decision, each rule's part with what was observed against which threshold."""

from typing import NamedTuple

from services.fraud.domain.outcomes import Check, Result
from services.fraud.domain.rule_set import RuleSet
from services.fraud.repository import recorded_decisions, rule_sets
from services.fraud.repository.recorded_decisions import RecordedDecision
from shared.database import Transaction


class ExplainedRule(NamedTuple):
    """One rule's outcome. ``checks`` go with ``observed``."""

    rule_code: str
    result: Result
    checks: tuple[Check, ...]
    observed: tuple[int, ...]


class ExplainedDecision(NamedTuple):
    """A decision and the rule set that it was made by, its rules in the order of evaluation."""

    decision: RecordedDecision
    rule_set: RuleSet
    rules: tuple[ExplainedRule, ...]


async def explain_decision(transaction: Transaction, receipt_key: bytes) -> ExplainedDecision | None:
    """The decision on a receipt, by the parameters that were in force; None where there is none."""
    decision = await recorded_decisions.find(transaction, receipt_key)
    if decision is None:
        return None
    rule_set = await rule_sets.find(transaction, decision.rule_set_version)
    if rule_set is None:
        raise LookupError(f"rule set {decision.rule_set_version} is not there, though a decision was made by it")
    outcomes = {outcome.rule_code: outcome for outcome in decision.outcomes}
    rules = tuple(
        ExplainedRule(rule.code, outcomes[rule.code].result, rule.checks(), outcomes[rule.code].observed)
        for rule in rule_set.rules
    )
    return ExplainedDecision(decision, rule_set, rules)
