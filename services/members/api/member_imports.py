"""Partners' files of members: declared, sent as CSV, sent again where the line broke, and reported line by line."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter, ValidationError

from services.members.api.enrolment import enrolment_of_body
from services.members.api.partner_binding import refuse_for_others
from services.members.domain.identities import Identities
from services.members.domain.member_import import Import, column_of, enrolment_of
from services.members.repository import member_imports
from services.members.schemas.enrolment import EnrolmentBody
from services.members.schemas.member_imports import ImportAnswer, ImportBody
from services.members.use_cases.enrol_member import Enrolment
from services.members.use_cases.import_members import MemberImporter
from shared.database import Database, Transaction
from shared.ids import new_id
from shared.web import Answer, IdempotencyKey, Page, Paging, Principal, Problem, idempotent, problems, requires
from shared.web.csv_pages import NOTHING_TAKEN, LineRefusal, fields_or_refusal
from shared.web.csv_records import CsvRecord
from shared.web.csv_uploads import CSV_CONTENT, RefusalAnswer, csv_upload

Writer = Annotated[Principal, requires("members:write")]
Reader = Annotated[Principal, requires("members:read")]

_LINE = TypeAdapter(tuple[int])


def imports_router(database: Database, identities: Identities, importer: MemberImporter) -> APIRouter:
    """Enrol many from a file."""
    router = APIRouter(prefix="/v1/member-imports", tags=["imports"])

    @router.post("", status_code=201, response_model=ImportAnswer, responses=problems(400, 401, 403, 413, 415, 422))
    async def declare(body: ImportBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Say that a file will come; send it to ``content_url``."""
        partner_id = body.partner_id if body.partner_id is not None else principal.partner_id
        refuse_for_others(principal, partner_id)
        import_id = new_id()

        async def work(transaction: Transaction) -> Answer:
            new = Import(
                import_id=import_id,
                partner_id=partner_id,
                language=body.language,
                region=body.region,
                state="open",
                records_taken=0,
                enrolled=0,
                refused=0,
                content_digest=NOTHING_TAKEN,
                created_by=principal.client_id,
                created_at=transaction.now,
                finished_at=None,
            )
            await member_imports.insert_import(transaction, new)
            return Answer(201, ImportAnswer.of(new))

        return await idempotent(database, principal, key, body, work)

    @router.put(
        "/{import_id}/content",
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
        openapi_extra=CSV_CONTENT,
    )
    async def send(import_id: UUID, request: Request, principal: Writer) -> ImportAnswer:
        """Send the file: UTF-8, its first line naming the columns. It is taken in as it comes.

        Where the connection broke, send the same file again from its beginning: it goes on where it stopped, so no
        Idempotency-Key is needed. Records that make no member are reported at ``refusals_url`` and hold up nobody.
        """
        declared = await importer.find(import_id, principal.partner_id)

        def read(record: CsvRecord, columns: Sequence[str], divider: str) -> Enrolment | LineRefusal:
            return _read(record, columns, divider, declared, principal, identities)

        async with csv_upload(request):
            return ImportAnswer.of(await importer.take(import_id, principal.partner_id, request.stream(), read))

    return router


def import_reports_router(database: Database, importer: MemberImporter) -> APIRouter:
    """How far files have come, and what became of their lines."""
    router = APIRouter(prefix="/v1/member-imports", tags=["imports"])

    @router.get("/{import_id}", responses=problems(401, 403, 404, 422))
    async def read_import(import_id: UUID, principal: Reader) -> ImportAnswer:
        """How far a file has come."""
        return ImportAnswer.of(await importer.find(import_id, principal.partner_id))

    @router.get("/{import_id}/refusals", responses=problems(400, 401, 403, 404, 422))
    async def list_refusals(import_id: UUID, principal: Reader, paging: Paging) -> Page[RefusalAnswer]:
        """The records that made no member, in the order of their lines."""
        await importer.find(import_id, principal.partner_id)
        position = paging.position(_LINE)
        after_line = 0 if position is None else position[0]
        async with database.transaction() as transaction:
            found = await member_imports.load_refusals(
                transaction, import_id, after_line=after_line, rows_max=paging.limit + 1
            )
        shown = [RefusalAnswer.of(refusal) for refusal in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.line for answer in shown[-1:]])

    return router


def _read(
    record: CsvRecord,
    columns: Sequence[str],
    divider: str,
    declared: Import,
    principal: Principal,
    identities: Identities,
) -> Enrolment | LineRefusal:
    """One record, judged exactly as an enrolment over HTTP is."""
    fields = fields_or_refusal(record, columns, divider)
    if isinstance(fields, LineRefusal):
        return fields
    filled = {column for column, value in zip(columns, fields, strict=True) if value}
    said = enrolment_of(columns, fields, declared.language, declared.region)
    try:
        return enrolment_of_body(EnrolmentBody.model_validate_json(orjson.dumps(said)), principal, identities)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return LineRefusal(record.line, first["type"], column_of(filled, first["loc"]))
    except Problem as problem:
        pointer = (problem.errors[0].pointer or "") if problem.errors else ""
        location = [int(part) if part.isdigit() else part for part in pointer.strip("/").split("/")]
        return LineRefusal(record.line, "invalid_identifier", column_of(filled, location))
