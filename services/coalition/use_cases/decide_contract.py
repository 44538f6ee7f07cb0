"""Approve a contract, or end one: by a second person, and told to everybody before it takes effect."""

from datetime import datetime
from uuid import UUID

from services.coalition.domain.contracts import Contract, approved, ended
from services.coalition.domain.errors import ContractNotFoundError, CurrencyDiffersError
from services.coalition.domain.top_ups import Paid
from services.coalition.repository import contracts, partners, top_ups
from services.coalition.use_cases.contract_events import contract_published
from services.coalition.use_cases.draft_contract import act_on, lock_contract
from services.coalition.use_cases.record_acts import record_acts
from shared import outbox
from shared.database import Transaction


async def approve_contract(transaction: Transaction, contract_id: UUID, approver: str) -> Contract:
    """Approve a submitted contract and record ContractPublished; it takes effect by itself, at its date.

    Approvals queue up: each sees all those before it, of every partner. Holds the partner's row to the commit, so that
    what is published of a partner stays in order.

    Raises:
        ContractNotFoundError, ContractStateError, OwnDraftError, PublishedTooLateError, CurrencyDiffersError,
        ContractOverlapsError, ExclusivityClashError: nothing was changed.
    """
    await contracts.queue_for_approval(transaction)
    submitted = await _lock_with_partner(transaction, contract_id)
    others = await contracts.load_approved(transaction)
    paid = (await top_ups.load_paid(transaction, [submitted.partner_id])).get(submitted.partner_id, Paid())
    if paid.currency not in (None, submitted.terms.currency):
        raise CurrencyDiffersError(f"the partner has paid in {paid.currency}: use that")
    contract = approved(submitted, approver, others, transaction.now)
    await contracts.update_contract(transaction, contract)
    await record_acts(transaction, [act_on(submitted, contract, approver, "contract.approved")])
    await outbox.record(transaction, [contract_published(transaction, contract)])
    return contract


async def end_contract(transaction: Transaction, contract_id: UUID, ender: str, ends_at: datetime) -> Contract:
    """Give an approved contract an earlier end and record ContractPublished.

    Raises:
        ContractNotFoundError, ContractStateError, OwnDraftError, PublishedTooLateError: nothing was changed.
    """
    before = await _lock_with_partner(transaction, contract_id)
    contract = ended(before, ender, ends_at, transaction.now)
    await contracts.update_contract(transaction, contract)
    await record_acts(transaction, [act_on(before, contract, ender, "contract.ended")])
    await outbox.record(transaction, [contract_published(transaction, contract)])
    return contract


async def _lock_with_partner(transaction: Transaction, contract_id: UUID) -> Contract:
    found = await contracts.find_contract(transaction, contract_id)
    if found is None:
        raise ContractNotFoundError("there is no such contract")
    await partners.lock_partner(transaction, found.partner_id)
    return await lock_contract(transaction, contract_id)
