"""``/v1/adjustment-files``: many adjustments at once, sent as CSV, sent again where the line broke, approved as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter, ValidationError

from services.accrual.api.adjustments import (
    POSITION,
    WRITE_PROBLEMS,
    Approver,
    Reader,
    Writer,
)
from services.accrual.domain.adjustment_files import AdjustmentFile, FileState, row_of
from services.accrual.domain.adjustments import (
    Adjustment,
    AdjustmentRules,
    UnknownAdjustmentReasonError,
    UnusableAdjustmentError,
    expiry_of,
    id_of_line,
    judge,
)
from services.accrual.programme import Programme
from services.accrual.repository import adjustment_files
from services.accrual.schemas.adjustments import AdjustmentFileAnswer, AdjustmentFileBody, AdjustmentLineBody
from services.accrual.use_cases.adjust_points import today
from services.accrual.use_cases.decide_adjustment_files import approve_file, refuse_file
from services.accrual.use_cases.import_adjustments import AdjustmentImporter, declare_file, find_file
from shared.database import Database, Transaction
from shared.ids import new_id
from shared.point_types import PointTypes, UnknownPointTypeError
from shared.web import Answer, IdempotencyKey, Page, Paging, idempotent, problems, refuse_partners
from shared.web.csv_pages import NOTHING_TAKEN, LineRefusal, fields_or_refusal
from shared.web.csv_records import CsvRecord
from shared.web.csv_uploads import CSV_CONTENT, RefusalAnswer, csv_upload

_WHAT = "Adjustments are made"
_LINE = TypeAdapter(tuple[int])
OfState = Annotated[FileState | None, Query()]


def adjustment_files_router(
    database: Database, programme: Programme, rules: AdjustmentRules, point_types: PointTypes
) -> APIRouter:
    """Send files."""
    router = APIRouter(prefix="/v1/adjustment-files", tags=["adjustments"])
    importer = AdjustmentImporter(database, rules, programme)

    @router.post("", status_code=201, response_model=AdjustmentFileAnswer, responses=WRITE_PROBLEMS)
    async def declare(body: AdjustmentFileBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Say that a file will come; send it to ``content_url``. Declared again, it is answered as it stands."""
        refuse_partners(principal, _WHAT)
        file_id = new_id()

        async def work(transaction: Transaction) -> Answer:
            wanted = AdjustmentFile(
                file_id=file_id,
                name=body.name,
                state="open",
                is_clipped=body.clip,
                records_taken=0,
                accepted=0,
                refused=0,
                points_total=0,
                points_largest=0,
                content_digest=NOTHING_TAKEN,
                repeats=None,
                posted=0,
                failed=0,
                created_by=principal.client_id,
                created_at=transaction.now,
            )
            return Answer(201, AdjustmentFileAnswer.of(await declare_file(transaction, wanted)))

        return await idempotent(database, principal, key, body, work)

    @router.put("/{file_id}/content", responses=WRITE_PROBLEMS, openapi_extra=CSV_CONTENT)
    async def send(file_id: UUID, request: Request, principal: Writer) -> AdjustmentFileAnswer:
        """Send the file: UTF-8, its first line naming the columns (member_id, points, reason_code; point_type,
        expires_on, note).

        Where the connection broke, send the same file again from its beginning: it goes on where it stopped, so no
        Idempotency-Key is needed. Nothing moves before all of it is there. Then it takes effect at once, or, where it
        moves more than one person may alone, or repeats another file, it waits for a second person.
        """
        refuse_partners(principal, _WHAT)
        file = await importer.find(file_id)
        async with database.transaction() as transaction:
            lines = _Lines(file, rules, point_types, today(transaction, programme), transaction.now)
        async with csv_upload(request):
            taken = await importer.take(file_id, principal.client_id, request.stream(), lines.read)
        return AdjustmentFileAnswer.of(taken)

    return router


def adjustment_file_decisions_router(database: Database) -> APIRouter:
    """What a second person decides."""
    router = APIRouter(prefix="/v1/adjustment-files/{file_id}", tags=["adjustments"])

    @router.post("/approve", response_model=AdjustmentFileAnswer, responses=WRITE_PROBLEMS)
    async def approve(file_id: UUID, principal: Approver, key: IdempotencyKey) -> Response:
        """Let a file that somebody else has sent take effect. Its lines are posted within seconds, page by page."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            return Answer(200, AdjustmentFileAnswer.of(await approve_file(transaction, file_id, principal.client_id)))

        return await idempotent(database, principal, key, None, work)

    @router.post("/refuse", response_model=AdjustmentFileAnswer, responses=WRITE_PROBLEMS)
    async def refuse(file_id: UUID, principal: Approver, key: IdempotencyKey) -> Response:
        """Let nothing come of a file that waits, or that was not sent to its end."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            return Answer(200, AdjustmentFileAnswer.of(await refuse_file(transaction, file_id, principal.client_id)))

        return await idempotent(database, principal, key, None, work)

    return router


def adjustment_file_reports_router(database: Database) -> APIRouter:
    """How far files have come, and what became of their lines."""
    router = APIRouter(prefix="/v1/adjustment-files", tags=["adjustments"])

    @router.get("", responses=problems(400, 401, 403, 422))
    async def list_files(principal: Reader, paging: Paging, state: OfState = None) -> Page[AdjustmentFileAnswer]:
        """Files, the newest first; those that wait for a second person with ``state=waiting``."""
        refuse_partners(principal, _WHAT)
        async with database.transaction() as transaction:
            after = paging.position(POSITION)
            found = await adjustment_files.load_page(transaction, state, after, paging.limit + 1)
        shown = [AdjustmentFileAnswer.of(file) for file in found[: paging.limit]]
        position = [shown[-1].created_at, shown[-1].file_id] if shown else []
        return Page.of(found, paging.limit, shown, position)

    @router.get("/{file_id}", responses=problems(401, 403, 404, 422))
    async def read(file_id: UUID, principal: Reader) -> AdjustmentFileAnswer:
        """How far a file has come. What each line asks for: ``GET /v1/adjustments?file_id=``."""
        refuse_partners(principal, _WHAT)
        async with database.transaction() as transaction:
            return AdjustmentFileAnswer.of(await find_file(transaction, file_id))

    @router.get("/{file_id}/refusals", responses=problems(400, 401, 403, 404, 422))
    async def list_refusals(file_id: UUID, principal: Reader, paging: Paging) -> Page[RefusalAnswer]:
        """The lines of which nothing came, in their order: unreadable, impossible, or refused when they were posted."""
        refuse_partners(principal, _WHAT)
        position = paging.position(_LINE)
        async with database.transaction() as transaction:
            await find_file(transaction, file_id)
            after_line = 0 if position is None else position[0]
            found = await adjustment_files.load_refusals(transaction, file_id, after_line, paging.limit + 1)
        shown = [RefusalAnswer.of(refusal) for refusal in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.line for answer in shown[-1:]])

    return router


@dataclass(frozen=True, slots=True)
class _Lines:
    """Reads the lines of one file, exactly as an adjustment over HTTP is read, by the day on which the file comes."""

    file: AdjustmentFile
    rules: AdjustmentRules
    point_types: PointTypes
    day: date
    now: datetime

    def read(self, record: CsvRecord, columns: Sequence[str], divider: str) -> Adjustment | LineRefusal:
        fields = fields_or_refusal(record, columns, divider)
        if isinstance(fields, LineRefusal):
            return fields
        try:
            body = AdjustmentLineBody.model_validate_json(orjson.dumps(row_of(columns, fields)))
            adjustment = self._asked(body, record.line)
            judge(adjustment, self.day)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            return LineRefusal(record.line, first["type"], str(first["loc"][0]))
        except UnknownAdjustmentReasonError:
            return LineRefusal(record.line, "unknown_reason", "reason_code")
        except UnknownPointTypeError:
            return LineRefusal(record.line, "unknown_point_type", "point_type")
        except UnusableAdjustmentError as error:
            return LineRefusal(record.line, "unusable", error.field)
        return adjustment

    def _asked(self, body: AdjustmentLineBody, line: int) -> Adjustment:
        reason = self.rules.reason(body.reason_code)
        return Adjustment(
            adjustment_id=id_of_line(self.file.file_id, line),
            member_id=body.member_id,
            point_type=self.point_types.of(body.point_type),
            points=body.points,
            reason_code=reason.code,
            kind=reason.kind,
            basis=reason.basis,
            note=body.note,
            expires_on=expiry_of(reason, body.points, body.expires_on, self.day),
            is_clipped=self.file.is_clipped and body.points < 0,
            created_by=self.file.created_by,
            created_at=self.now,
            file_id=self.file.file_id,
            line=line,
        )
