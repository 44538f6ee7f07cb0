"""Partners' files of articles: declared, sent as CSV, sent again where the line broke, and reported line by line."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter, ValidationError

from services.coalition.api.stores import refuse_strangers
from services.coalition.domain.articles import Article, article_of
from services.coalition.repository import article_imports
from services.coalition.schemas.articles import ArticleImportAnswer, ArticleImportBody, ListedArticleBody
from services.coalition.schemas.fields import CodeInPath
from services.coalition.use_cases.import_articles import declare_import, import_articles, read_import
from shared.database import Database, Transaction
from shared.ids import new_id
from shared.web import Answer, IdempotencyKey, Page, Paging, Principal, idempotent, problems, requires
from shared.web.csv_pages import LineRefusal, fields_or_refusal
from shared.web.csv_records import CsvRecord
from shared.web.csv_uploads import CSV_CONTENT, RefusalAnswer, csv_upload

Writer = Annotated[Principal, requires("partners:write")]
Reader = Annotated[Principal, requires("partners:read")]

_LINE = TypeAdapter(tuple[int])


def article_imports_router(database: Database) -> APIRouter:
    """State many articles from a file."""
    router = APIRouter(prefix="/v1/partners/{partner_id}/article-imports", tags=["articles"])

    @router.post(
        "",
        status_code=201,
        response_model=ArticleImportAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def declare(
        partner_id: CodeInPath, body: ArticleImportBody, principal: Writer, key: IdempotencyKey
    ) -> Response:
        """Say that a file will come; send it to ``content_url``."""
        refuse_strangers(principal, partner_id)
        import_id = new_id()

        async def work(transaction: Transaction) -> Answer:
            new = await declare_import(transaction, partner_id, import_id, principal.client_id)
            return Answer(201, ArticleImportAnswer.of(new))

        return await idempotent(database, principal, key, body, work)

    @router.put(
        "/{import_id}/content",
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
        openapi_extra=CSV_CONTENT,
    )
    async def send(partner_id: CodeInPath, import_id: UUID, request: Request, principal: Writer) -> ArticleImportAnswer:
        """Send the file: UTF-8, its first line naming the columns. It is taken in as it comes.

        Where the connection broke, send the same file again from its beginning: it goes on where it stopped, so no
        Idempotency-Key is needed. Records that state no article are reported at ``refusals_url`` and hold up nothing.
        """
        refuse_strangers(principal, partner_id)

        def read(record: CsvRecord, columns: Sequence[str], divider: str) -> Article | LineRefusal:
            return _read(record, columns, divider, partner_id)

        async with csv_upload(request):
            taken = await import_articles(database, partner_id, import_id, request.stream(), read, principal.client_id)
        return ArticleImportAnswer.of(taken)

    @router.get("/{import_id}", responses=problems(401, 403, 404, 422))
    async def show(partner_id: CodeInPath, import_id: UUID, principal: Reader) -> ArticleImportAnswer:
        """How far a file has come."""
        refuse_strangers(principal, partner_id)
        async with database.transaction() as transaction:
            return ArticleImportAnswer.of(await read_import(transaction, partner_id, import_id))

    @router.get("/{import_id}/refusals", responses=problems(400, 401, 403, 404, 422))
    async def list_refusals(
        partner_id: CodeInPath, import_id: UUID, principal: Reader, paging: Paging
    ) -> Page[RefusalAnswer]:
        """The records that stated no article, in the order of their lines."""
        refuse_strangers(principal, partner_id)
        position = paging.position(_LINE)
        after_line = 0 if position is None else position[0]
        async with database.transaction() as transaction:
            await read_import(transaction, partner_id, import_id)
            found = await article_imports.load_refusals(
                transaction, import_id, after_line=after_line, rows_max=paging.limit + 1
            )
        shown = [RefusalAnswer.of(refusal) for refusal in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.line for answer in shown[-1:]])

    return router


def _read(record: CsvRecord, columns: Sequence[str], divider: str, partner_id: str) -> Article | LineRefusal:
    """One record, judged exactly as an article over HTTP is."""
    fields = fields_or_refusal(record, columns, divider)
    if isinstance(fields, LineRefusal):
        return fields
    try:
        body = ListedArticleBody.model_validate_json(orjson.dumps(article_of(columns, fields)))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        column = str(first["loc"][0]) if first["loc"] else None
        return LineRefusal(record.line, first["type"], column)
    return body.article(partner_id, body.sku)
