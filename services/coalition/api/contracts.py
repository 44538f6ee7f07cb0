"""Contracts: written and approved by two of the programme's people, read by the partner too."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import TypeAdapter

from services.coalition.domain.contracts import Contract
from services.coalition.schemas.contracts import ContractAnswer, ContractBody, EndBody, TermsBody
from services.coalition.use_cases.decide_contract import approve_contract, end_contract
from services.coalition.use_cases.draft_contract import change_draft, draft_contract, submit_contract
from services.coalition.use_cases.read_contracts import read_contract, read_contracts
from shared.database import Database, Transaction
from shared.web import (
    Answer,
    CodeText,
    IdempotencyKey,
    Page,
    Paging,
    Principal,
    WholeNumber,
    idempotent,
    not_found,
    problems,
    refuse_partners,
    requires,
)
from shared.web.strict import CODE_LENGTH_MAX, CODE_PATTERN

Writer = Annotated[Principal, requires("contracts:write")]
Approver = Annotated[Principal, requires("contracts:approve")]
Reader = Annotated[Principal, requires("contracts:read")]
_WHAT = "Contracts are"
OfPartner = Annotated[str | None, Query(pattern=CODE_PATTERN, max_length=CODE_LENGTH_MAX)]

_POSITION = TypeAdapter(tuple[CodeText, WholeNumber])
_WRITE_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)


def contracts_router(database: Database) -> APIRouter:
    """Write, change and submit contracts."""
    router = APIRouter(prefix="/v1/contracts", tags=["contracts"])

    @router.post("", status_code=201, response_model=ContractAnswer, responses=_WRITE_PROBLEMS)
    async def draft(body: ContractBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Write a contract as a draft under the partner's next number."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            contract = await draft_contract(transaction, body.partner_id, body.as_terms(), principal.client_id)
            return _answer(transaction, contract, 201)

        return await idempotent(database, principal, key, body, work)

    @router.put("/{contract_id}", responses=_WRITE_PROBLEMS)
    async def change(contract_id: UUID, body: TermsBody, principal: Writer) -> ContractAnswer:
        """Give a draft other terms. Who does so becomes one of its authors, and may not approve it."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> ContractAnswer:
            contract = await change_draft(transaction, contract_id, body.as_terms(), principal.client_id)
            return ContractAnswer.of(contract, transaction.now)

        return await database.run(work)

    @router.post("/{contract_id}/submit", response_model=ContractAnswer, responses=_WRITE_PROBLEMS)
    async def submit(contract_id: UUID, principal: Writer, key: IdempotencyKey) -> Response:
        """Put a draft before a second person; from here on its terms stand."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            return _answer(transaction, await submit_contract(transaction, contract_id, principal.client_id))

        return await idempotent(database, principal, key, None, work)

    return router


def contract_reading_router(database: Database) -> APIRouter:
    """Read contracts."""
    router = APIRouter(prefix="/v1/contracts", tags=["contracts"])

    @router.get("", responses=problems(400, 401, 403, 422))
    async def list_contracts(principal: Reader, paging: Paging, partner_id: OfPartner = None) -> Page[ContractAnswer]:
        """Contracts in the order of partner and number; a partner's client sees that partner's alone."""
        if partner_id is not None and not principal.sees(partner_id):
            return Page.of([], paging.limit, [], [])
        only = partner_id if partner_id is not None else principal.partner_id
        after = paging.position(_POSITION)
        async with database.transaction() as transaction:
            found = await read_contracts(transaction, partner_id=only, after=after, rows_max=paging.limit + 1)
            shown = [ContractAnswer.of(contract, transaction.now) for contract in found[: paging.limit]]
        position = [shown[-1].partner_id, shown[-1].number] if shown else []
        return Page.of(found, paging.limit, shown, position)

    @router.get("/{contract_id}", responses=problems(401, 403, 404, 422))
    async def read(contract_id: UUID, principal: Reader) -> ContractAnswer:
        """One contract."""
        async with database.transaction() as transaction:
            contract = await read_contract(transaction, contract_id)
            if not principal.sees(contract.partner_id):
                raise not_found("contract")
            return ContractAnswer.of(contract, transaction.now)

    return router


def approvals_router(database: Database) -> APIRouter:
    """What a second person decides."""
    router = APIRouter(prefix="/v1/contracts/{contract_id}", tags=["contracts"])

    @router.post("/approve", response_model=ContractAnswer, responses=_WRITE_PROBLEMS)
    async def approve(contract_id: UUID, principal: Approver, key: IdempotencyKey) -> Response:
        """Approve a submitted contract: it is active from its date, at least 60 s from now, and never changes again.

        Refused (409) where it overlaps another contract of the partner or clashes with another partner's exclusivity,
        which the answer names; refused (403) to whoever wrote, changed or submitted it.
        """
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            return _answer(transaction, await approve_contract(transaction, contract_id, principal.client_id))

        return await idempotent(database, principal, key, None, work)

    @router.post("/end", response_model=ContractAnswer, responses=_WRITE_PROBLEMS)
    async def end(contract_id: UUID, body: EndBody, principal: Approver, key: IdempotencyKey) -> Response:
        """Give an approved contract an earlier end, at least 60 s from now."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            contract = await end_contract(transaction, contract_id, principal.client_id, body.effective_until)
            return _answer(transaction, contract)

        return await idempotent(database, principal, key, body, work)

    return router


def _answer(transaction: Transaction, contract: Contract, status: int = 200) -> Answer:
    return Answer(status, ContractAnswer.of(contract, transaction.now))
