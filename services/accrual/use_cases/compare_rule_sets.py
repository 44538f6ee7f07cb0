"""Say what a rule set changes against another one. Changes nothing."""

from uuid import UUID

from services.accrual.domain.rule_set_diff import RuleSetDiff, diff_rule_sets
from services.accrual.domain.rule_set_records import StoredRuleSet
from services.accrual.repository import living_rule_sets
from services.accrual.use_cases.read_rule_sets import read_rule_set
from shared.database import Transaction


async def compare_rule_sets(
    transaction: Transaction, reference: UUID | int, against: UUID | int | None, *, with_unpublished: bool
) -> tuple[StoredRuleSet, StoredRuleSet | None, RuleSetDiff]:
    """The rule set, the one it is compared with, and what differs.

    Where nothing is named it is the version before it: of a published one the one it takes over from, of any other the
    one in force; None where there is none.

    Raises:
        RuleSetNotFoundError: one of them is not there, or not to be shown.
    """
    new = await read_rule_set(transaction, reference, with_unpublished=with_unpublished)
    if against is None:
        old = await living_rule_sets.find_before(transaction, new.rule_set.effective_from or transaction.now)
    else:
        old = await read_rule_set(transaction, against, with_unpublished=with_unpublished)
    return new, old, diff_rule_sets(None if old is None else old.rule_set.document, new.rule_set.document)
