"""The steps of a rule set's life, each in the caller's transaction: who takes one queues behind whoever takes another.

What a service does besides when a version takes effect stands with it, between ``publication`` and ``save_step``.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.database import Transaction
from shared.ids import new_id
from shared.rule_sets import life, repository
from shared.rule_sets.errors import RuleSetNotFoundError
from shared.rule_sets.life import LivingRuleSet, Step
from shared.rule_sets.repository import save_step
from shared.web.preconditions import require_version

__all__ = [
    "approve_rule_set",
    "change_rule_set",
    "draft_rule_set",
    "publication",
    "refuse_rule_set",
    "retire_rule_set",
    "save_step",
    "submit_rule_set",
]


async def draft_rule_set(transaction: Transaction, document: Mapping[str, Any], author: str) -> Step:
    """A new draft; nothing is judged by it."""
    step = life.drafted(new_id(), document, author)
    await repository.insert_rule_set(transaction, step)
    return step


async def change_rule_set(
    transaction: Transaction, rule_set_id: UUID, document: Mapping[str, Any], expected_revision: int, author: str
) -> Step:
    """Give a draft another document; who does so becomes one of its authors.

    Raises:
        RuleSetNotFoundError, VersionChangedError, RuleSetStateError: nothing was changed.
    """
    rule_set = await _lock(transaction, rule_set_id)
    require_version(expected_revision, rule_set.revision)
    step = life.changed(rule_set, document, author)
    await save_step(transaction, step)
    return step


async def submit_rule_set(transaction: Transaction, rule_set_id: UUID, author: str) -> Step:
    """Put a draft before a second person; from here on its document stands.

    Raises:
        RuleSetNotFoundError, RuleSetStateError: nothing was changed.
    """
    step = life.submitted(await _lock(transaction, rule_set_id), author)
    await save_step(transaction, step)
    return step


async def approve_rule_set(transaction: Transaction, rule_set_id: UUID, approver: str) -> Step:
    """Approve a submitted rule set; it can be published from now on. Of two who decide at once one is too late.

    Raises:
        RuleSetNotFoundError, RuleSetStateError, OwnDraftError: nothing was changed.
    """
    step = life.approved(await _lock(transaction, rule_set_id), approver)
    await save_step(transaction, step)
    return step


async def refuse_rule_set(transaction: Transaction, rule_set_id: UUID, refuser: str, reason: str) -> Step:
    """Make a draft of a submitted rule set again, and say why.

    Raises:
        RuleSetNotFoundError, RuleSetStateError, OwnDraftError: nothing was changed.
    """
    step = life.refused(await _lock(transaction, rule_set_id), refuser, reason)
    await save_step(transaction, step)
    return step


async def publication(transaction: Transaction, rule_set_id: UUID, publisher: str, effective_from: datetime) -> Step:
    """The rule set as the next version, not saved yet; publications go one after the other, of all rule sets.

    The very first one may reach back: nothing was judged before it.

    Raises:
        RuleSetNotFoundError, RuleSetStateError, OwnDraftError, PublishedTooLateError, EffectiveTimeTakenError: nothing
            was changed.
    """
    version = await repository.queue_for_publication(transaction) + 1
    rule_set = await _lock(transaction, rule_set_id)
    others = await repository.load_publications(transaction)
    return life.published(rule_set, publisher, version, effective_from, others, transaction.now)


async def retire_rule_set(transaction: Transaction, rule_set_id: UUID, retirer: str, reason: str) -> Step:
    """Withdraw a rule set that has not begun, or say of one that was in force that it does not come back.

    Raises:
        RuleSetNotFoundError, RuleSetStateError, OwnDraftError, PublishedTooLateError, NoSuccessorError: nothing was
            changed.
    """
    await repository.queue_for_publication(transaction)
    rule_set = await _lock(transaction, rule_set_id)
    others = await repository.load_publications(transaction)
    step = life.retired(rule_set, retirer, reason, others, transaction.now)
    await save_step(transaction, step)
    return step


async def _lock(transaction: Transaction, rule_set_id: UUID) -> LivingRuleSet:
    rule_set = await repository.lock_rule_set(transaction, rule_set_id)
    if rule_set is None:
        raise RuleSetNotFoundError("there is no such rule set")
    return rule_set
