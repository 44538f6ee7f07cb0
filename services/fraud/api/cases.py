"""Routes: the queue of cases, and why a receipt was decided as it was."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import TypeAdapter

from services.fraud.domain.cases import Case, CaseState
from services.fraud.schemas.cases import CaseAnswer, CaseFileAnswer, CloseBody, DecisionAnswer
from services.fraud.use_cases.close_case import close_case
from services.fraud.use_cases.explain_decision import explain_decision
from services.fraud.use_cases.read_cases import find_case, list_cases, read_case_file
from shared.database import Database, Transaction
from shared.receipt_key import MalformedReceiptIdError, natural_key_of, partner_of
from shared.web import Answer, IdempotencyKey, Page, Paging, Principal, idempotent, not_found, problems, requires

Reader = Annotated[Principal, requires("cases:read")]
Investigator = Annotated[Principal, requires("cases:write")]

_POSITION: TypeAdapter[tuple[UUID]] = TypeAdapter(tuple[UUID])


def cases_router(database: Database) -> APIRouter:
    """Cases. A partner's client sees those about its own operators."""
    router = APIRouter(prefix="/v1", tags=["cases"])

    @router.get("/cases", responses=problems(400, 401, 403, 422))
    async def get_cases(
        principal: Reader,
        paging: Paging,
        state: Annotated[CaseState | None, Query(description="Only cases of this state.")] = None,
    ) -> Page[CaseAnswer]:
        """Cases, the newest first."""
        position = paging.position(_POSITION)
        async with database.transaction() as transaction:
            found = await list_cases(
                transaction,
                state=state,
                partner_id=principal.partner_id,
                after=None if position is None else position[0],
                rows_max=paging.limit + 1,
            )
        shown = found[: paging.limit]
        last = [shown[-1].case_id] if shown else []
        return Page[CaseAnswer].of(found, paging.limit, [CaseAnswer.of(case) for case in shown], last)

    @router.get("/cases/{case_id}", responses=problems(401, 403, 404, 422))
    async def get_case(case_id: UUID, principal: Reader) -> CaseFileAnswer:
        """One case with what led to it: each signal's observed figure and threshold, and the receipts held."""
        async with database.transaction() as transaction:
            case = await _visible_case(transaction, case_id, principal)
            return CaseFileAnswer.of(await read_case_file(transaction, case))

    @router.post(
        "/cases/{case_id}/close",
        response_model=CaseAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def close(case_id: UUID, body: CloseBody, principal: Investigator, key: IdempotencyKey) -> Response:
        """Close a case. The same outcome again changes nothing; another one is refused (409)."""

        async def work(transaction: Transaction) -> Answer:
            case = await _visible_case(transaction, case_id, principal)
            closed = await close_case(transaction, case, body.outcome, principal.client_id, body.note)
            return Answer(200, CaseAnswer.of(closed))

        return await idempotent(database, principal, key, body, work)

    return router


def decisions_router(database: Database) -> APIRouter:
    """Decisions on receipts."""
    router = APIRouter(prefix="/v1", tags=["decisions"])

    @router.get("/decisions/{receipt_id}", responses=problems(401, 403, 404))
    async def get_decision(receipt_id: str, principal: Reader) -> DecisionAnswer:
        """What each rule said of a receipt: hit, no hit, or not enough facts; observed against threshold."""
        try:
            receipt_key = natural_key_of(receipt_id)
            is_visible = principal.sees(partner_of(receipt_key))
        except MalformedReceiptIdError as error:
            raise not_found("decision") from error
        if not is_visible:
            raise not_found("decision")
        async with database.transaction() as transaction:
            explained = await explain_decision(transaction, receipt_key)
        if explained is None:
            raise not_found("decision")
        return DecisionAnswer.of(explained)

    return router


async def _visible_case(transaction: Transaction, case_id: UUID, principal: Principal) -> Case:
    case = await find_case(transaction, case_id)
    if case is None or not principal.sees(case.partner_id):
        raise not_found("case")
    return case
