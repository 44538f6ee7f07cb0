"""Write a rule set, change its draft, put it before a second person."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.accrual.domain import rule_set_life as life
from services.accrual.domain.rule_set_errors import RuleSetNotFoundError
from services.accrual.domain.rule_set_life import LivingRuleSet, Step
from services.accrual.repository import living_rule_sets
from shared.database import Transaction
from shared.ids import new_id
from shared.web.preconditions import require_version


async def draft_rule_set(transaction: Transaction, document: Mapping[str, Any], author: str) -> Step:
    """A new draft; no receipt is judged by it."""
    step = life.drafted(new_id(), document, author)
    await living_rule_sets.insert_rule_set(transaction, step)
    return step


async def change_rule_set(
    transaction: Transaction, rule_set_id: UUID, document: Mapping[str, Any], expected_revision: int, author: str
) -> Step:
    """Give a draft another document; who does so becomes one of its authors.

    Raises:
        RuleSetNotFoundError, VersionChangedError, RuleSetStateError: nothing was changed.
    """
    rule_set = await lock_rule_set(transaction, rule_set_id)
    require_version(expected_revision, rule_set.revision)
    step = life.changed(rule_set, document, author)
    await living_rule_sets.save_step(transaction, step)
    return step


async def submit_rule_set(transaction: Transaction, rule_set_id: UUID, author: str) -> Step:
    """Put a draft before a second person; from here on its document stands.

    Raises:
        RuleSetNotFoundError, RuleSetStateError: nothing was changed.
    """
    step = life.submitted(await lock_rule_set(transaction, rule_set_id), author)
    await living_rule_sets.save_step(transaction, step)
    return step


async def lock_rule_set(transaction: Transaction, rule_set_id: UUID) -> LivingRuleSet:
    """The rule set, locked to the commit.

    Raises:
        RuleSetNotFoundError: there is none.
    """
    rule_set = await living_rule_sets.lock_rule_set(transaction, rule_set_id)
    if rule_set is None:
        raise RuleSetNotFoundError("there is no such rule set")
    return rule_set
