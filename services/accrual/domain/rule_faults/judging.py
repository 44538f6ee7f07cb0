"""What rules may say and nobody hands in yet: by such rules receipts would be dead-lettered, or points forgotten."""

from collections.abc import Iterator

from services.accrual.domain.pointers import below
from services.accrual.domain.receipts import Fault
from services.accrual.domain.rules import Rule, RuleSetDraft
from services.accrual.domain.supply import not_supplied


def judging_faults(rule_set: RuleSetDraft) -> Iterator[Fault]:
    """What this release cannot judge by: at the rule that says it, or at the document."""
    of_rules: set[str] = set()
    for at, rule in enumerate(rule_set.rules):
        asked = not_supplied(_alone(rule_set, rule))
        of_rules.update(asked)
        yield from _faults(asked, below("/rules", at))
    yield from _faults([each for each in not_supplied(rule_set) if each not in of_rules], "")


def _alone(rule_set: RuleSetDraft, rule: Rule) -> RuleSetDraft:
    """The rule without its neighbours, and without what holds for all of them."""
    of_all = {"caps": (), "campaigns": (), "pending_days": None, "pending": None}
    return RuleSetDraft.model_construct(**(dict(rule_set) | of_all | {"rules": (rule,)}))


def _faults(asked: list[str], pointer: str) -> Iterator[Fault]:
    for each in asked:
        yield Fault(pointer, f"this release cannot judge by: {each}")
