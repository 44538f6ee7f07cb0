"""Read rule sets and what was done to them. Changes nothing."""

from datetime import datetime
from uuid import UUID

from services.accrual.domain.rule_set_errors import RuleSetNotFoundError
from services.accrual.domain.rule_set_records import StoredChange, StoredRuleSet
from services.accrual.repository import living_rule_sets
from shared.database import Transaction

_PUBLISHED = ("published", "retired")


async def read_rule_set(
    transaction: Transaction, reference: UUID | int, *, with_unpublished: bool = True
) -> StoredRuleSet:
    """The rule set with this id, or the one that was published as this version.

    Raises:
        RuleSetNotFoundError: there is none, or it is not published and is not to be shown.
    """
    found = await living_rule_sets.find_rule_set(transaction, reference)
    if found is None or not (with_unpublished or found.rule_set.state in _PUBLISHED):
        raise RuleSetNotFoundError("there is no such rule set: see GET /v1/rule-sets")
    return found


async def read_rule_sets(
    transaction: Transaction, *, with_unpublished: bool, after: tuple[datetime, UUID] | None, rows_max: int
) -> list[StoredRuleSet]:
    """Rule sets, the newest draft first."""
    return await living_rule_sets.load_rule_sets(
        transaction, with_unpublished=with_unpublished, after=after, rows_max=rows_max
    )


async def read_history(
    transaction: Transaction, reference: UUID | int, *, after_revision: int, rows_max: int
) -> list[StoredChange]:
    """What was done to a rule set, from its draft on.

    Raises:
        RuleSetNotFoundError: there is none.
    """
    found = await read_rule_set(transaction, reference)
    return await living_rule_sets.load_changes(
        transaction, found.rule_set.rule_set_id, after_revision=after_revision, rows_max=rows_max
    )
