"""Read contracts. Changes nothing."""

from uuid import UUID

from services.coalition.domain.contracts import Contract
from services.coalition.domain.errors import ContractNotFoundError
from services.coalition.repository import contracts
from shared.database import Transaction


async def read_contract(transaction: Transaction, contract_id: UUID) -> Contract:
    """The contract.

    Raises:
        ContractNotFoundError: there is none.
    """
    contract = await contracts.find_contract(transaction, contract_id)
    if contract is None:
        raise ContractNotFoundError("there is no such contract")
    return contract


async def read_contracts(
    transaction: Transaction, *, partner_id: str | None, after: tuple[str, int] | None, rows_max: int
) -> list[Contract]:
    """Up to ``rows_max`` contracts after one, in the order of partner and number; of one partner if it is named."""
    return await contracts.load_contracts(transaction, partner_id=partner_id, after=after, rows_max=rows_max)
