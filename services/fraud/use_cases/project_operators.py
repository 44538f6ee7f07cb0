"""Keep the operators that coalition registered, as far as rules need them."""

from collections.abc import Sequence

from services.fraud.repository import operators
from services.fraud.repository.operators import Operator
from shared.database import Transaction
from shared.events.coalition import OperatorChanged


async def project_operators(transaction: Transaction, changes: Sequence[OperatorChanged]) -> None:
    """Take in changes of operators, in any order and as often as they come: the highest version of each stands."""
    newest: dict[str, Operator] = {}
    for change in changes:
        data = change.data
        if data.operator_hash not in newest or newest[data.operator_hash].version < data.version:
            newest[data.operator_hash] = Operator(data.operator_hash, data.own_card_hashes, data.version)
    await operators.save(transaction, list(newest.values()))
