"""Write a contract, change its draft, put it before a second person."""

from uuid import UUID

from services.coalition.domain.audit import Act, facts_of
from services.coalition.domain.contracts import Contract, Terms, changed, first_contract, submitted
from services.coalition.domain.errors import ContractNotFoundError, PartnerNotFoundError
from services.coalition.repository import contracts, partners
from services.coalition.use_cases.record_acts import record_acts
from shared.database import Transaction
from shared.ids import new_id


async def draft_contract(transaction: Transaction, partner_id: str, terms: Terms, author: str) -> Contract:
    """A new draft under the partner's next number; nobody is told of it. Holds the partner's row to the commit.

    Raises:
        PartnerNotFoundError: there is no such partner.
    """
    if not await partners.lock_partner(transaction, partner_id):
        raise PartnerNotFoundError("there is no such partner")
    number = await contracts.next_number(transaction, partner_id)
    contract = first_contract(new_id(), partner_id, number, terms, author)
    await contracts.insert_contract(transaction, contract)
    await record_acts(transaction, [act_on(None, contract, author, "contract.drafted")])
    return contract


async def change_draft(transaction: Transaction, contract_id: UUID, terms: Terms, author: str) -> Contract:
    """Give a draft other terms; who does so becomes one of its authors. The same terms again change nothing.

    Raises:
        ContractNotFoundError, ContractStateError: nothing was changed.
    """
    contract = await lock_contract(transaction, contract_id)
    if contract.state == "draft" and contract.terms == terms and author in contract.authors:
        return contract
    draft = changed(contract, terms, author)
    await contracts.update_contract(transaction, draft)
    await record_acts(transaction, [act_on(contract, draft, author, "contract.changed")])
    return draft


async def submit_contract(transaction: Transaction, contract_id: UUID, author: str) -> Contract:
    """Put a draft before a second person; from here on its terms stand.

    Raises:
        ContractNotFoundError, ContractStateError: nothing was changed.
    """
    draft = await lock_contract(transaction, contract_id)
    contract = submitted(draft, author)
    await contracts.update_contract(transaction, contract)
    await record_acts(transaction, [act_on(draft, contract, author, "contract.submitted")])
    return contract


async def lock_contract(transaction: Transaction, contract_id: UUID) -> Contract:
    """The contract, locked to the commit.

    Raises:
        ContractNotFoundError: there is none.
    """
    contract = await contracts.find_contract(transaction, contract_id, is_locking=True)
    if contract is None:
        raise ContractNotFoundError("there is no such contract")
    return contract


def act_on(before: Contract | None, after: Contract, author: str, action: str) -> Act:
    """What the audit log says of it."""
    return Act(
        author,
        action,
        str(after.contract_id),
        after.partner_id,
        before=None if before is None else facts_of(before),
        after=facts_of(after),
    )
