"""Publish an approved rule set for a time, and retire one. Both go one after the other, of all rule sets.

Workers read of either within seconds, and it counts a minute later at the earliest: nobody judges by what is outdated.
"""

from datetime import datetime
from uuid import UUID

from pydantic import ValidationError

from services.accrual.domain import rule_set_life as life
from services.accrual.domain.rule_set_errors import RuleSetStateError
from services.accrual.domain.rule_set_life import LivingRuleSet, Step
from services.accrual.domain.rules import RuleSetDraft
from services.accrual.repository import living_rule_sets, parked, rule_sets
from services.accrual.use_cases.draft_rule_set import lock_rule_set
from services.accrual.use_cases.release_parked import release_parked
from shared.database import Transaction


async def publish_rule_set(
    transaction: Transaction, rule_set_id: UUID, publisher: str, effective_from: datetime
) -> Step:
    """Publish a rule set as the next version. The very first one may reach back: nothing was judged before it.

    Raises:
        RuleSetNotFoundError, RuleSetStateError, OwnDraftError, PublishedTooLateError, EffectiveTimeTakenError: nothing
            was changed.
    """
    version = await rule_sets.queue_for_publication(transaction) + 1
    rule_set = await lock_rule_set(transaction, rule_set_id)
    others = await rule_sets.load_publications(transaction)
    step = life.published(rule_set, publisher, version, effective_from, others, transaction.now)
    _require_usable(rule_set)
    # Receipts older than any rule set wait for one: whoever parks now meets us here.
    await parked.meet(transaction, [parked.MEETS_RULES])
    await living_rule_sets.save_step(transaction, step)
    await release_parked(transaction, await parked.find_waiting_for_rules(transaction, effective_from))
    return step


async def retire_rule_set(transaction: Transaction, rule_set_id: UUID, retirer: str, reason: str) -> Step:
    """Withdraw a rule set that has not begun, or say of one that was in force that it does not come back.

    Raises:
        RuleSetNotFoundError, RuleSetStateError, OwnDraftError, PublishedTooLateError, NoSuccessorError: nothing was
            changed.
    """
    await rule_sets.queue_for_publication(transaction)
    rule_set = await lock_rule_set(transaction, rule_set_id)
    others = await rule_sets.load_publications(transaction)
    step = life.retired(rule_set, retirer, reason, others, transaction.now)
    await living_rule_sets.save_step(transaction, step)
    return step


def _require_usable(rule_set: LivingRuleSet) -> None:
    try:
        RuleSetDraft.model_validate(rule_set.document)
    except ValidationError as error:  # an earlier release took it: no worker could judge by it
        raise RuleSetStateError("this release cannot judge by the rule set: retire it and draft it again") from error
