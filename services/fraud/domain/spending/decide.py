"""The verdict: ``(ask, what was asked before, rule set) → decision``, pure. Live, afterwards and in tests the same."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.fraud.domain.spending.asks import ASKS_WINDOW, VERDICTS_BY_WEIGHT, Ask, EarlierAsk, Known, Verdict
from services.fraud.domain.spending.rule_set import SpendRuleSet


class SpendOutcome(NamedTuple):
    """One rule's part of a decision, as it is recorded: checks and thresholds follow from the rule set's version."""

    rule_code: str
    verdict: Verdict
    observed: tuple[int, ...]


class SpendDecision(NamedTuple):
    """The heaviest of what the rules said, with what each of them saw."""

    verdict: Verdict
    outcomes: tuple[SpendOutcome, ...]

    @property
    def rule_codes(self) -> tuple[str, ...]:
        """The rules that asked for the verdict; of an allowed ask none."""
        if self.verdict is Verdict.ALLOW:
            return ()
        return tuple(outcome.rule_code for outcome in self.outcomes if outcome.verdict is self.verdict)


def decide_spend(
    ask: Ask,
    before: Sequence[EarlierAsk],
    at: datetime,
    rule_set: SpendRuleSet,
    identifier_changed_at: datetime | None = None,
    contact_changed_at: datetime | None = None,
) -> SpendDecision:
    """Judge an ask that is made at ``at`` by itself and those before it, which may reach back further than needed.

    Point in time: an earlier ask, or a change of an identifier or of the e-mail address, that bears a later time does
    not count.
    """
    in_day = [earlier for earlier in before if at - ASKS_WINDOW < earlier.asked_at <= at]
    known = Known(at, in_day, identifier_changed_at, contact_changed_at)
    outcomes = []
    for rule in rule_set.rules:
        observed = rule.observe(ask, known)
        verdicts = [check.verdict_on(figure) for check, figure in zip(rule.checks(), observed, strict=True)]
        outcomes.append(SpendOutcome(rule.code, max(verdicts, key=VERDICTS_BY_WEIGHT.index), observed))
    heaviest = max((outcome.verdict for outcome in outcomes), key=VERDICTS_BY_WEIGHT.index, default=Verdict.ALLOW)
    return SpendDecision(heaviest, tuple(outcomes))
