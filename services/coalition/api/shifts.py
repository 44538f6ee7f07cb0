"""Which receipts of which till never came, and whether shifts add up."""

from datetime import date, timedelta
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Query, Response
from pydantic import TypeAdapter

from services.coalition.api.stores import refuse_strangers
from services.coalition.domain.shifts import ShiftName, ShiftReport
from services.coalition.schemas.fields import CodeInPath
from services.coalition.schemas.shifts import GapAnswer, ShiftCloseAnswer, ShiftCloseBody
from services.coalition.use_cases.close_shift import close_shift
from services.coalition.use_cases.read_shifts import read_shifts
from shared.database import Database, Transaction
from shared.web import (
    Answer,
    CodeText,
    IdempotencyKey,
    Page,
    PageRequest,
    Paging,
    Principal,
    Problem,
    idempotent,
    problems,
    requires,
)

DAYS_MAX = 92
DAYS_DEFAULT = 30

Reader = Annotated[Principal, requires("receipts:read")]
Writer = Annotated[Principal, requires("receipts:write")]
FirstDay: TypeAlias = Annotated[
    date | None, Query(alias="from", description=f"The first business date; else {DAYS_DEFAULT} before the last.")
]
LastDay: TypeAlias = Annotated[
    date | None, Query(alias="to", description="The last business date, included; else today in UTC.")
]

_POSITION = TypeAdapter(tuple[date, CodeText, CodeText, int])


def shifts_router(database: Database) -> APIRouter:
    """Gaps, and statements beside what arrived."""
    router = APIRouter(prefix="/v1/partners/{partner_id}", tags=["shifts"])

    @router.get("/gaps", responses=problems(400, 401, 403, 404, 422))
    async def list_gaps(
        partner_id: CodeInPath, principal: Reader, paging: Paging, first: FirstDay = None, last: LastDay = None
    ) -> Page[GapAnswer]:
        """Shifts of which sequence numbers never came, and which. A receipt that comes late closes its gap.

        What is expected goes from the least to the highest number that came, or that the shift's close states.
        """
        refuse_strangers(principal, partner_id)
        found = await _read(database, partner_id, (first, last), paging, is_closed=False)
        shown = [GapAnswer.of(report) for report in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, _position(found, paging))

    @router.get("/shift-closes", responses=problems(400, 401, 403, 404, 422))
    async def list_closes(
        partner_id: CodeInPath, principal: Reader, paging: Paging, first: FirstDay = None, last: LastDay = None
    ) -> Page[ShiftCloseAnswer]:
        """Closed shifts, each beside what arrived of it by now."""
        refuse_strangers(principal, partner_id)
        found = await _read(database, partner_id, (first, last), paging, is_closed=True)
        shown = [ShiftCloseAnswer.of(report) for report in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, _position(found, paging))

    @router.post(
        "/stores/{store_id}/tills/{till_id}/shift-closes",
        response_model=ShiftCloseAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def close(
        partner_id: CodeInPath,
        store_id: CodeInPath,
        till_id: CodeInPath,
        body: ShiftCloseBody,
        principal: Writer,
        key: IdempotencyKey,
    ) -> Response:
        """State what a till's shift came to. Keyed by the shift: the same again changes nothing, other figures are
        refused (409)."""
        refuse_strangers(principal, partner_id)
        name = ShiftName(partner_id, body.business_date, store_id, till_id, body.shift)

        async def work(transaction: Transaction) -> Answer:
            report = await close_shift(transaction, name, body.stated(), principal.client_id)
            return Answer(200, ShiftCloseAnswer.of(report))

        return await idempotent(database, principal, key, body, work)

    return router


def _days(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    last = last or today
    first = first or last - min(timedelta(days=DAYS_DEFAULT), last - date.min)
    if not 0 <= (last - first).days <= DAYS_MAX:
        raise Problem(422, "invalid-period", f"Ask for at most {DAYS_MAX} days: from lies before to.")
    return first, last


async def _read(
    database: Database,
    partner_id: str,
    asked: tuple[date | None, date | None],
    paging: PageRequest,
    *,
    is_closed: bool,
) -> list[ShiftReport]:
    after = paging.position(_POSITION)
    async with database.transaction() as transaction:
        days = _days(*asked, transaction.now.date())
        return await read_shifts(
            transaction, partner_id, days, is_closed=is_closed, after=after, rows_max=paging.limit + 1
        )


def _position(found: list[ShiftReport], paging: PageRequest) -> list[object]:
    return [value for report in found[: paging.limit][-1:] for value in report.name[1:]]
