"""Change an operator: whether he is at work, and his own member card."""

from services.coalition.domain.audit import Act
from services.coalition.domain.errors import OperatorNotFoundError, PartnerNotFoundError
from services.coalition.domain.operators import Operator, OperatorChange, changed
from services.coalition.repository import operators, partners
from services.coalition.use_cases.operator_events import operator_changed
from services.coalition.use_cases.record_acts import record_acts
from shared import outbox
from shared.database import Transaction
from shared.web.preconditions import require_version


async def change_operator(
    transaction: Transaction,
    partner_id: str,
    operator_hash: str,
    change: OperatorChange,
    *,
    expected_version: int,
    author: str,
) -> Operator:
    """Write what the change makes of the operator, and record the act and OperatorChanged. What is the same stays.

    Holds the partner's row to the commit.

    Raises:
        PartnerNotFoundError, OperatorNotFoundError: there is no such partner, or it has no such operator.
        OperatorLeftError: an own card is named for somebody who has left.
        VersionChangedError: it was changed since the caller read it.
    """
    await operators.hold_for_writing(transaction)
    if not await partners.lock_partner(transaction, partner_id):
        raise PartnerNotFoundError("there is no such partner")
    before = await operators.find_operator(transaction, partner_id, operator_hash)
    if before is None:
        raise OperatorNotFoundError("the partner has no such operator")
    require_version(expected_version, before.version)
    after = changed(before, change)
    if after is before:
        return before
    await operators.update_operator(transaction, after)
    act = Act(author, "operator.changed", after.subject, partner_id, before=before.facts(), after=after.facts())
    await record_acts(transaction, [act])
    await outbox.record(transaction, [operator_changed(transaction, after)])
    return after
