"""A recorded decision, each rule's part with what was observed against which threshold."""

from collections.abc import Sequence
from typing import NamedTuple

from services.fraud.domain.outcomes import Check, Result
from services.fraud.domain.rule_set import RuleSet
from services.fraud.repository import recorded_decisions, rule_sets
from services.fraud.repository.recorded_decisions import RecordedDecision, RecordedOutcome
from shared.database import Transaction


class ExplainedRule(NamedTuple):
    """One rule's outcome, by the version that made it. ``checks`` go with ``observed``."""

    rule_code: str
    rule_set_version: int
    result: Result
    checks: tuple[Check, ...]
    observed: tuple[int, ...]


class ExplainedDecision(NamedTuple):
    """A decision and the rule set that it was made by, its rules in the order of evaluation.

    Rules that a late receipt made a hit of, under a later rule set, come after the others.
    """

    decision: RecordedDecision
    rule_set: RuleSet
    rules: tuple[ExplainedRule, ...]
    former: tuple["ExplainedDecision", ...] = ()  # while the receipt was other members', the first of them first


async def explain_decision(transaction: Transaction, receipt_key: bytes) -> ExplainedDecision | None:
    """The decision on a receipt, by the parameters that were in force; None where there is none."""
    decision = await recorded_decisions.find(transaction, receipt_key)
    if decision is None:
        return None
    former = await recorded_decisions.load_former(transaction, receipt_key)
    explained = await _explain(transaction, decision)
    return explained._replace(former=tuple([await _explain(transaction, each) for each in former]))


async def _explain(transaction: Transaction, decision: RecordedDecision) -> ExplainedDecision:
    versions = {decision.rule_set_version, *(outcome.rule_set_version for outcome in decision.outcomes)}
    made_by = {version: await _rule_set(transaction, version) for version in sorted(versions)}
    rules = tuple(explained for rule_set in made_by.values() for explained in _explained(rule_set, decision.outcomes))
    return ExplainedDecision(decision, made_by[decision.rule_set_version], rules)


async def _rule_set(transaction: Transaction, version: int) -> RuleSet:
    rule_set = await rule_sets.find(transaction, version)
    if rule_set is None:
        raise LookupError(f"rule set {version} is not there, though a decision was made by it")
    return rule_set


def _explained(rule_set: RuleSet, outcomes: Sequence[RecordedOutcome]) -> list[ExplainedRule]:
    """What this version of the rules said."""
    by_code = {outcome.rule_code: outcome for outcome in outcomes if outcome.rule_set_version == rule_set.version}
    return [
        ExplainedRule(rule.code, rule_set.version, outcome.result, rule.checks(), outcome.observed)
        for rule in rule_set.rules
        if (outcome := by_code.get(rule.code)) is not None
    ]
