"""Read rule sets and what was done to them. Changes nothing."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from shared.database import Transaction
from shared.rule_sets import repository
from shared.rule_sets.diff import RuleSetDiff, diff_rule_sets
from shared.rule_sets.errors import RuleSetNotFoundError
from shared.rule_sets.records import StoredChange, StoredRuleSet

_PUBLISHED = ("published", "retired")


async def read_rule_set(
    transaction: Transaction, reference: UUID | int, *, with_unpublished: bool = True
) -> StoredRuleSet:
    """The rule set with this id, or the one that was published as this version.

    Raises:
        RuleSetNotFoundError: there is none, or it is not published and is not to be shown.
    """
    found = await repository.find_rule_set(transaction, reference)
    if found is None or not (with_unpublished or found.rule_set.state in _PUBLISHED):
        raise RuleSetNotFoundError("there is no such rule set: see the list")
    return found


async def read_rule_sets(
    transaction: Transaction, *, with_unpublished: bool, after: tuple[datetime, UUID] | None, rows_max: int
) -> list[StoredRuleSet]:
    """Rule sets, the newest draft first."""
    return await repository.load_rule_sets(
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
    return await repository.load_changes(
        transaction, found.rule_set.rule_set_id, after_revision=after_revision, rows_max=rows_max
    )


async def compare_rule_sets(
    transaction: Transaction,
    reference: UUID | int,
    against: UUID | int | None,
    model: type[BaseModel],
    *,
    with_unpublished: bool,
) -> tuple[StoredRuleSet, StoredRuleSet | None, RuleSetDiff]:
    """The rule set, the one it is compared with, and what differs between documents of this ``model``.

    Where nothing is named it is the version before it: of a published one the one it takes over from, of any other the
    one in force; None where there is none.

    Raises:
        RuleSetNotFoundError: one of them is not there, or not to be shown.
    """
    new = await read_rule_set(transaction, reference, with_unpublished=with_unpublished)
    if against is None:
        old = await repository.find_before(transaction, new.rule_set.effective_from or transaction.now)
    else:
        old = await read_rule_set(transaction, against, with_unpublished=with_unpublished)
    return new, old, diff_rule_sets(None if old is None else old.rule_set.document, new.rule_set.document, model)
