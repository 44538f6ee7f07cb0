"""Publish an approved rule set for a time; what waits for rules of its time is judged at last.

Workers read of it within seconds, and it counts a minute later at the earliest: nobody judges by what is outdated.
"""

from datetime import datetime
from uuid import UUID

from pydantic import ValidationError

from services.accrual.domain.rules import RuleSetDraft
from services.accrual.repository import parked
from services.accrual.use_cases.keep_promises import require_kept_by
from services.accrual.use_cases.release_parked import release_parked
from shared.database import Transaction
from shared.rule_sets.errors import RuleSetStateError
from shared.rule_sets.life import LivingRuleSet, Step
from shared.rule_sets.steps import publication, save_step


async def publish_rule_set(
    transaction: Transaction, rule_set_id: UUID, publisher: str, effective_from: datetime
) -> Step:
    """Publish a rule set as the next version. The very first one may reach back: nothing was judged before it.

    Raises:
        RuleSetNotFoundError, RuleSetStateError, OwnDraftError, PublishedTooLateError, EffectiveTimeTakenError,
            UnkeptPromiseError: nothing was changed.
    """
    step = await publication(transaction, rule_set_id, publisher, effective_from)
    await require_kept_by(transaction, _usable(step.after), effective_from)
    # Receipts older than any rule set wait for one: whoever parks now meets us here.
    await parked.meet(transaction, [parked.MEETS_RULES])
    await save_step(transaction, step)
    await release_parked(transaction, await parked.find_waiting_for_rules(transaction, effective_from))
    return step


def _usable(rule_set: LivingRuleSet) -> RuleSetDraft:
    try:
        return RuleSetDraft.model_validate(rule_set.document)
    except ValidationError as error:  # an earlier release took it: no worker could judge by it
        raise RuleSetStateError("this release cannot judge by the rule set: retire it and draft it again") from error
