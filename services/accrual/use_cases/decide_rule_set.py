"""Approve a submitted rule set or refuse it: a second person does."""

from uuid import UUID

from services.accrual.domain import rule_set_life as life
from services.accrual.domain.rule_set_life import Step
from services.accrual.repository import living_rule_sets
from services.accrual.use_cases.draft_rule_set import lock_rule_set
from shared.database import Transaction


async def approve_rule_set(transaction: Transaction, rule_set_id: UUID, approver: str) -> Step:
    """Approve a submitted rule set; it can be published from now on. Of two who decide at once one is too late.

    Raises:
        RuleSetNotFoundError, RuleSetStateError, OwnDraftError: nothing was changed.
    """
    step = life.approved(await lock_rule_set(transaction, rule_set_id), approver)
    await living_rule_sets.save_step(transaction, step)
    return step


async def refuse_rule_set(transaction: Transaction, rule_set_id: UUID, refuser: str, reason: str) -> Step:
    """Make a draft of a submitted rule set again, and say why.

    Raises:
        RuleSetNotFoundError, RuleSetStateError, OwnDraftError: nothing was changed.
    """
    step = life.refused(await lock_rule_set(transaction, rule_set_id), refuser, reason)
    await living_rule_sets.save_step(transaction, step)
    return step
