"""``/v1/receipts``: tills post documents and ask what became of them."""

import re
from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from services.accrual.api.answers import accepted, receipt_answer
from services.accrual.door import ConflictingDocumentError, Door, PartnerNotOpenError, Result, Taken
from services.accrual.programme import PublishedRules
from services.accrual.schemas.documents import ReceiptBatchBody, ReceiptBody
from services.accrual.schemas.receipts import BatchItemAnswer, ReceiptAccepted, ReceiptAnswer, ReceiptBatchAnswer
from services.accrual.use_cases.read_document import InvalidDocumentError, Issuer
from services.accrual.use_cases.show_receipt import show_receipt
from services.accrual.waiting import WAIT_SECONDS_MAX
from shared.database import Database
from shared.kafka.errors import ProducerUnavailableError
from shared.receipt_key import MalformedReceiptIdError, natural_key_of, partner_of
from shared.web.authorisation import requires
from shared.web.principal import Principal
from shared.web.problems import FieldError, Problem, not_found, problems
from shared.web.refusals import as_problem

RETRY_AFTER_SECONDS = 2

_WAIT = re.compile(r"(?:^|[,;\s])wait=([0-9]{1,4})(?:$|[,;\s])")


def receipts_router(door: Door, database: Database, rules: PublishedRules) -> APIRouter:
    """The routes, on this process's door."""
    router = APIRouter(prefix="/v1", tags=["receipts"])

    @router.post(
        "/receipts",
        status_code=202,
        response_model=ReceiptAccepted,
        response_model_exclude_none=True,
        responses=problems(400, 401, 403, 409, 413, 422, 503) | {200: {"model": ReceiptAccepted}},
    )
    async def accept_receipt(
        body: ReceiptBody,
        response: Response,
        principal: Annotated[Principal, requires("receipts:write")],
        prefer: Annotated[str | None, Header()] = None,
    ) -> ReceiptAccepted:
        """Take one till document. Once this answers, the receipt is safe: every in-sync replica of Kafka has it.

        With ``Prefer: wait=N`` it waits up to N seconds for the decision, and answers 200 with points and balance.
        A document that was posted before is answered with what became of it; other contents under its key are refused.
        """
        (result,) = await _accept(door, [body], principal)
        if not isinstance(result, Taken):
            raise problem_of(result)
        wait_seconds = _wait_seconds(prefer)
        taken = await door.wait(result, wait_seconds)
        if wait_seconds:
            response.headers["Preference-Applied"] = f"wait={wait_seconds}"
        answer = accepted(taken)
        response.status_code = 200 if answer.status in ("awarded", "refused") else 202
        return answer

    @router.post(
        "/receipts:batch",
        response_model=ReceiptBatchAnswer,
        response_model_exclude_none=True,
        responses=problems(400, 401, 403, 413, 422, 503),
    )
    async def accept_receipts(
        body: ReceiptBatchBody, principal: Annotated[Principal, requires("receipts:write")]
    ) -> ReceiptBatchAnswer:
        """Take many documents: one result each, in their order. A faulty one harms no other."""
        read = [_read(item) for item in body.receipts]
        results = await _accept(door, [item for item in read if isinstance(item, ReceiptBody)], principal)
        taken = iter(results)
        return ReceiptBatchAnswer(
            results=[_item(next(taken)) if isinstance(item, ReceiptBody) else _refused(item) for item in read]
        )

    @router.get(
        "/receipts/{receipt_id}",
        response_model=ReceiptAnswer,
        response_model_exclude_none=True,
        responses=problems(401, 403, 404),
    )
    async def get_receipt(receipt_id: str, principal: Annotated[Principal, requires("receipts:read")]) -> ReceiptAnswer:
        """A receipt's status, what it earned, and why: ``awaiting`` until somebody has decided."""
        try:
            key = natural_key_of(receipt_id)
            partner_id = partner_of(key)
        except MalformedReceiptIdError as error:
            raise not_found("receipt") from error
        if not principal.sees(partner_id):
            raise not_found("receipt")
        async with database.transaction() as transaction:
            story = await show_receipt(transaction, key, rules)
        return receipt_answer(receipt_id, story)

    return router


async def _accept(door: Door, bodies: list[ReceiptBody], principal: Principal) -> list[Result]:
    try:
        return await door.accept(bodies, Issuer(principal.partner_id, principal.store_id, principal.till_id))
    except ProducerUnavailableError as error:
        raise Problem(
            503,
            "not-recorded-in-time",
            "Kafka did not confirm in time. The receipt may have been recorded: post the same document again.",
            title="Not recorded in time",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        ) from error


def _wait_seconds(prefer: str | None) -> int:
    matched = _WAIT.search(prefer) if prefer is not None else None
    return min(int(matched[1]), WAIT_SECONDS_MAX) if matched is not None else 0


def _read(item: object) -> ReceiptBody | Problem:
    try:
        return ReceiptBody.model_validate(item)
    except ValidationError as error:
        found = [{**detail, "loc": ("body", *detail["loc"])} for detail in error.errors(include_url=False)]
        problem = as_problem(RequestValidationError(found, body=item), {})
        if problem is None:
            raise
        return problem


def problem_of(result: InvalidDocumentError | ConflictingDocumentError | PartnerNotOpenError) -> Problem:
    """Why the door does not take a document, as HTTP says it."""
    if isinstance(result, ConflictingDocumentError):
        return Problem(409, "conflicting-document", str(result), title="Conflicting document")
    if isinstance(result, PartnerNotOpenError):
        return Problem(403, "partner-not-open", str(result), title="Partner not open")
    errors = [FieldError(pointer=fault.pointer, detail=fault.detail) for fault in result.faults]
    return Problem(422, "invalid-request", str(result), title="Invalid request", errors=errors)


def _item(result: Result) -> BatchItemAnswer:
    if not isinstance(result, Taken):
        return _refused(problem_of(result))
    answer = accepted(result)
    return BatchItemAnswer(status_code=200 if answer.status in ("awarded", "refused") else 202, receipt=answer)


def _refused(problem: Problem) -> BatchItemAnswer:
    return BatchItemAnswer(status_code=problem.status, problem=orjson.loads(problem.body()))
