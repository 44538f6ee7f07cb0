"""Register a partner's operators: one, or many at once."""

from collections.abc import Sequence

from services.coalition.domain.audit import Act
from services.coalition.domain.errors import OperatorExistsError, PartnerNotFoundError
from services.coalition.domain.operators import Operator
from services.coalition.repository import operators, partners
from services.coalition.use_cases.operator_events import operator_changed
from services.coalition.use_cases.record_acts import record_acts
from shared import outbox
from shared.database import Transaction


async def register_operator(transaction: Transaction, new: Operator, author: str) -> Operator:
    """Write one operator, and record the act and OperatorChanged.

    Raises:
        PartnerNotFoundError: there is no such partner.
        OperatorExistsError: the partner has this operator.
    """
    if not await register_operators(transaction, new.partner_id, [new], author):
        raise OperatorExistsError("the partner has this operator already: change it by its operator_hash")
    return new


async def register_operators(
    transaction: Transaction, partner_id: str, new: Sequence[Operator], author: str
) -> set[str]:
    """Write those of the operators, whose hashes differ, that are not there yet; the hashes of these come back.

    An operator that is there stays as it is. Records an act and OperatorChanged for each that is new. Holds the
    partner's row to the commit; the number of statements does not depend on the number of operators.

    Raises:
        PartnerNotFoundError: there is no such partner.
    """
    await operators.hold_for_writing(transaction)
    if not await partners.lock_partner(transaction, partner_id):
        raise PartnerNotFoundError("there is no such partner")
    written = await operators.insert_operators(transaction, partner_id, new)
    registered = [operator for operator in new if operator.operator_hash in written]
    acts = [
        Act(author, "operator.registered", operator.subject, partner_id, after=operator.facts())
        for operator in registered
    ]
    await record_acts(transaction, acts)
    await outbox.record(transaction, [operator_changed(transaction, operator) for operator in registered])
    return written
