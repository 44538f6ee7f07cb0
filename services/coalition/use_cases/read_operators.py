"""Operators of a partner, for whoever may read them."""

from services.coalition.domain.errors import OperatorNotFoundError
from services.coalition.domain.operators import Operator
from services.coalition.repository import operators
from services.coalition.use_cases.read_partners import read_partner
from shared.database import Transaction


async def read_operator(transaction: Transaction, partner_id: str, operator_hash: str) -> Operator:
    """One operator.

    Raises:
        PartnerNotFoundError, OperatorNotFoundError: there is no such partner, or it has no such operator.
    """
    await read_partner(transaction, partner_id)
    found = await operators.find_operator(transaction, partner_id, operator_hash)
    if found is None:
        raise OperatorNotFoundError("the partner has no such operator")
    return found


async def read_operators(
    transaction: Transaction, partner_id: str, *, after: str | None, rows_max: int
) -> list[Operator]:
    """Up to ``rows_max`` operators of a partner after a hash, in the order of hashes.

    Raises:
        PartnerNotFoundError: there is no such partner.
    """
    await read_partner(transaction, partner_id)
    return await operators.load_operators(transaction, partner_id, after or "", rows_max)
