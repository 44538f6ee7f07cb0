"""What points tenders brought up, day by day: taken late, not covered, contradicted."""

from datetime import date, datetime
from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, TypeAdapter

from services.redemption.programme import Programme
from services.redemption.schemas.tender_exceptions import TenderExceptionAnswer
from services.redemption.use_cases.read_tender_exceptions import read_tender_exceptions
from shared.database import Database
from shared.web import Page, Paging, Principal, problems, requires

Reader = Annotated[Principal, requires("tender-exceptions:read")]
# Ends of what Python can hold have no next day.
_Day: TypeAlias = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2999, 12, 31))]
Day: TypeAlias = Annotated[_Day | None, Query(alias="date", description="Where the programme is; else today.")]

_POSITION = TypeAdapter(tuple[datetime, UUID])


def tender_exceptions_router(database: Database, programme: Programme) -> APIRouter:
    """The daily list."""
    router = APIRouter(prefix="/v1/tender-exceptions", tags=["tender exceptions"])

    @router.get("", responses=problems(400, 401, 403, 422))
    async def list_exceptions(principal: Reader, paging: Paging, day: Day = None) -> Page[TenderExceptionAnswer]:
        """Receipts of a day whose holds did not cover what they took, and what contradicts itself, oldest first.

        A partner's client sees its own partner's. The day is the one on which redemption read the receipt: what an
        offline till sends after hours stands in the list of the day on which it came.
        """
        position = paging.position(_POSITION)
        async with database.transaction() as transaction:
            found = await read_tender_exceptions(
                transaction, principal, day, programme.zone, position, paging.limit + 1
            )
        shown = found[: paging.limit]
        last = (shown[-1].found.at, shown[-1].found.exception_id) if shown else ()
        return Page.of(found, paging.limit, [TenderExceptionAnswer.of(one) for one in shown], last)

    return router
