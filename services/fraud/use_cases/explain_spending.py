"""A recorded decision on spending, each rule's part with what was observed against which thresholds."""

from typing import NamedTuple
from uuid import UUID

from services.fraud.domain.spending.decide import SpendOutcome
from services.fraud.domain.spending.rules import SpendRule
from services.fraud.repository import rule_sets, spend_decisions
from services.fraud.repository.spend_decisions import StoredSpendDecision
from shared.database import Transaction


class ExplainedSpending(NamedTuple):
    """A decision, and each of its outcomes with the rule whose it is: its checks go with what was observed."""

    stored: StoredSpendDecision
    rules: tuple[tuple[SpendOutcome, SpendRule], ...]


async def explain_spending(transaction: Transaction, decision_id: UUID) -> ExplainedSpending | None:
    """The decision of this id, by the parameters that were in force; None where there is none."""
    stored = await spend_decisions.find(transaction, decision_id)
    if stored is None:
        return None
    rule_set = await rule_sets.find_spending(transaction, stored.rule_set_version)
    if rule_set is None:
        raise RuntimeError(f"spend rule set {stored.rule_set_version} was never published")
    outcomes = {outcome.rule_code: outcome for outcome in stored.decision.outcomes}
    return ExplainedSpending(stored, tuple((outcomes[rule.code], rule) for rule in rule_set.rules))
