"""Keep the operators that coalition registered, as far as rules need them."""

from collections.abc import Sequence

from services.fraud.repository import operators
from services.fraud.repository.operators import Operator
from shared.database import Transaction
from shared.events.coalition import OperatorChanged
from shared.events.versions import highest


async def project_operators(transaction: Transaction, changes: Sequence[OperatorChanged]) -> None:
    """Take in changes of operators, in any order and as often as they come: the highest version of each stands."""
    newest = highest((change.data for change in changes), lambda data: data.operator_hash)
    await operators.save(
        transaction, [Operator(data.operator_hash, data.own_card_hashes, data.version) for data in newest]
    )
