"""What a partner sells: articles one by one and in batches, and what its receipts name that no article knows."""

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Query, Response
from pydantic import TypeAdapter

from services.coalition.api.stores import refuse_strangers
from services.coalition.schemas.articles import (
    ArticleAnswer,
    ArticleBody,
    ArticleOutcome,
    ArticlesAnswer,
    ArticlesBody,
    UnknownArticleAnswer,
    UnknownArticlesAnswer,
)
from services.coalition.schemas.fields import CodeInPath
from services.coalition.use_cases.keep_articles import (
    read_article,
    read_articles,
    read_unknown_articles,
    state_articles,
)
from shared.database import Database, Transaction
from shared.web import (
    Answer,
    CodeText,
    IdempotencyKey,
    Page,
    Paging,
    Principal,
    etag,
    idempotent,
    problems,
    requires,
)

Writer = Annotated[Principal, requires("partners:write")]
Reader = Annotated[Principal, requires("partners:read")]

UNKNOWN_SHOWN_MAX = 200
Limit: TypeAlias = Annotated[int, Query(ge=1, le=UNKNOWN_SHOWN_MAX)]

_SKU = TypeAdapter(tuple[CodeText])


def articles_router(database: Database) -> APIRouter:
    """State and read a partner's articles."""
    router = APIRouter(prefix="/v1/partners/{partner_id}", tags=["articles"])

    @router.put("/articles/{sku}", responses=problems(400, 401, 403, 404, 409, 413, 415, 422))
    async def state(
        partner_id: CodeInPath, sku: CodeInPath, body: ArticleBody, principal: Writer, response: Response
    ) -> ArticleAnswer:
        """State an article as a whole. Stated again it stays as it is, so no Idempotency-Key is needed."""
        refuse_strangers(principal, partner_id)
        stated = body.article(partner_id, sku)
        changes = await database.run(
            lambda transaction: state_articles(transaction, partner_id, [stated], principal.client_id)
        )
        response.headers.update(etag(changes[0].after.version))
        return ArticleAnswer.of(changes[0].after)

    @router.get("/articles/{sku}", responses=problems(401, 403, 404, 422))
    async def read(partner_id: CodeInPath, sku: CodeInPath, principal: Reader, response: Response) -> ArticleAnswer:
        """One article, with its version as ETag."""
        refuse_strangers(principal, partner_id)
        async with database.transaction() as transaction:
            article = await read_article(transaction, partner_id, sku)
        response.headers.update(etag(article.version))
        return ArticleAnswer.of(article)

    @router.get("/articles", responses=problems(400, 401, 403, 404, 422))
    async def list_articles(partner_id: CodeInPath, principal: Reader, paging: Paging) -> Page[ArticleAnswer]:
        """Articles in the order of their numbers."""
        refuse_strangers(principal, partner_id)
        position = paging.position(_SKU)
        after = None if position is None else position[0]
        async with database.transaction() as transaction:
            found = await read_articles(transaction, partner_id, after=after, rows_max=paging.limit + 1)
        shown = [ArticleAnswer.of(article) for article in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.sku for answer in shown[-1:]])

    @router.post(
        "/articles:batch", response_model=ArticlesAnswer, responses=problems(400, 401, 403, 404, 409, 413, 415, 422)
    )
    async def state_many(
        partner_id: CodeInPath, body: ArticlesBody, principal: Writer, key: IdempotencyKey
    ) -> Response:
        """State many articles in one transaction; one outcome an article, in the order of the request."""
        refuse_strangers(principal, partner_id)
        stated = [article.article(partner_id, article.sku) for article in body.articles]

        async def work(transaction: Transaction) -> Answer:
            changes = await state_articles(transaction, partner_id, stated, principal.client_id)
            outcomes = [ArticleOutcome.of(change) for change in changes]
            return Answer(200, ArticlesAnswer(partner_id=partner_id, articles=outcomes))

        return await idempotent(database, principal, key, body, work)

    @router.get("/unmapped-articles", responses=problems(401, 403, 404, 422))
    async def list_unknown(partner_id: CodeInPath, principal: Reader, limit: Limit = 50) -> UnknownArticlesAnswer:
        """Numbers that receipts of the partner bear and no article has, those that sell most first."""
        refuse_strangers(principal, partner_id)
        async with database.transaction() as transaction:
            found = await read_unknown_articles(transaction, partner_id, limit)
        answers = [UnknownArticleAnswer.of(sales) for sales in found]
        return UnknownArticlesAnswer(partner_id=partner_id, articles=answers)

    return router
