"""What points tenders brought up, day by day: taken late, not covered, contradicted; and what people decided of it."""

from datetime import date, datetime
from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field, TypeAdapter

from services.redemption.programme import Programme
from services.redemption.repository.tender_exceptions import ExceptionState
from services.redemption.schemas.tender_exceptions import SettlementBody, TenderExceptionAnswer
from services.redemption.use_cases.read_tender_exceptions import read_tender_exceptions
from services.redemption.use_cases.settle_tender_exception import (
    SettledByItselfError,
    SettledOtherwiseError,
    UnknownExceptionError,
    settle_tender_exception,
)
from shared.database import Database, Transaction
from shared.web import Answer, IdempotencyKey, Page, Paging, Principal, idempotent, problems, requires
from shared.web.programme_only import refuse_partners

Reader = Annotated[Principal, requires("tender-exceptions:read")]
Settler = Annotated[Principal, requires("tender-exceptions:settle")]
State: TypeAlias = Annotated[ExceptionState | None, Query(description="Only those; all, where it is left out.")]
# Ends of what Python can hold have no next day.
_Day: TypeAlias = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2999, 12, 31))]
Day: TypeAlias = Annotated[_Day | None, Query(alias="date", description="Where the programme is; else today.")]

EXCEPTION_PROBLEMS: dict[type[Exception], tuple[int, str, str]] = {
    UnknownExceptionError: (404, "not-found", "Not found"),
    SettledOtherwiseError: (409, "settled-otherwise", "Settled otherwise"),
    SettledByItselfError: (409, "settled-by-itself", "Settled by itself"),
}

_POSITION = TypeAdapter(tuple[datetime, UUID])


def tender_exceptions_router(database: Database, programme: Programme) -> APIRouter:
    """The daily list, and what becomes of those in it."""
    router = APIRouter(prefix="/v1/tender-exceptions", tags=["tender exceptions"])

    @router.get("", responses=problems(400, 401, 403, 422))
    async def list_exceptions(
        principal: Reader, paging: Paging, day: Day = None, state: State = None
    ) -> Page[TenderExceptionAnswer]:
        """Receipts of a day whose holds did not cover what they took, and what contradicts itself, oldest first.

        A partner's client sees its own partner's. The day is the one on which redemption read the receipt: what an
        offline till sends after hours stands in the list of the day on which it came.
        """
        position = paging.position(_POSITION)
        async with database.transaction() as transaction:
            found = await read_tender_exceptions(
                transaction, principal, day, programme.zone, state, position, paging.limit + 1
            )
        shown = found[: paging.limit]
        last = (shown[-1].found.at, shown[-1].found.exception_id) if shown else ()
        return Page.of(found, paging.limit, [TenderExceptionAnswer.of(one) for one in shown], last)

    @router.post(
        "/{exception_id}/settle",
        response_model=TenderExceptionAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def settle(exception_id: UUID, body: SettlementBody, principal: Settler, key: IdempotencyKey) -> Response:
        """Say that an exception is settled, and why: it is asked about no more. No points move by this; what is owed to
        somebody is given by an adjustment. Once: for the same reason again it is answered as it stands."""
        refuse_partners(principal, "Exceptions are settled")

        async def work(transaction: Transaction) -> Answer:
            settled = await settle_tender_exception(transaction, exception_id, body.reason_code, principal.client_id)
            return Answer(200, TenderExceptionAnswer.of(settled))

        return await idempotent(database, principal, key, body, work)

    return router
