"""The programme's tree of categories, and what partners' categories count as in it."""

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Query, Response
from pydantic import TypeAdapter

from services.coalition.api.stores import refuse_strangers
from services.coalition.schemas.categories import (
    CategoryAnswer,
    CategoryBody,
    MappingAnswer,
    MappingsAnswer,
    MappingsBody,
    PartnerCategory,
    UnmappedAnswer,
    UnmappedListAnswer,
)
from services.coalition.schemas.fields import CodeInPath
from services.coalition.use_cases.keep_categories import read_categories, register_category
from services.coalition.use_cases.map_categories import map_categories, read_mappings, read_unmapped
from shared.database import Database, Transaction
from shared.web import (
    Answer,
    CodeText,
    IdempotencyKey,
    Page,
    Paging,
    Principal,
    idempotent,
    problems,
    refuse_partners,
    requires,
)

Writer = Annotated[Principal, requires("partners:write")]
Reader = Annotated[Principal, requires("partners:read")]
_WHAT = "Categories and mappings are"

UNMAPPED_MAX = 200
Limit: TypeAlias = Annotated[int, Query(ge=1, le=UNMAPPED_MAX)]

_CATEGORY = TypeAdapter(tuple[CodeText])
_PARTNER_CATEGORY = TypeAdapter(tuple[PartnerCategory])


def categories_router(database: Database) -> APIRouter:
    """The tree: everybody reads it, the programme's own clients extend it."""
    router = APIRouter(prefix="/v1/categories", tags=["categories"])

    @router.post(
        "", status_code=201, response_model=CategoryAnswer, responses=problems(400, 401, 403, 409, 413, 415, 422)
    )
    async def register(body: CategoryBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Put a category into the tree. It never moves: receipts are judged by the way down to it."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            category = await register_category(
                transaction, body.category_id, body.name, body.parent_id, principal.client_id
            )
            return Answer(201, CategoryAnswer.of(category))

        return await idempotent(database, principal, key, body, work)

    @router.get("", responses=problems(400, 401, 403, 422))
    async def list_categories(_: Reader, paging: Paging) -> Page[CategoryAnswer]:
        """The tree in the order of its ids."""
        position = paging.position(_CATEGORY)
        after = None if position is None else position[0]
        async with database.transaction() as transaction:
            found = await read_categories(transaction, after=after, rows_max=paging.limit + 1)
        shown = [CategoryAnswer.of(category) for category in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.category_id for answer in shown[-1:]])

    return router


def mappings_router(database: Database) -> APIRouter:
    """What a partner's categories count as."""
    router = APIRouter(prefix="/v1/partners/{partner_id}/category-mappings", tags=["categories"])

    @router.post(
        "",
        status_code=201,
        response_model=MappingsAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def declare(partner_id: CodeInPath, body: MappingsBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Say what categories of a partner's receipts count as, for the programme's own clients."""
        refuse_strangers(principal, partner_id)
        refuse_partners(principal, _WHAT)
        wanted = {mapping.partner_category: mapping.category_id for mapping in body.mappings}

        async def work(transaction: Transaction) -> Answer:
            mappings = await map_categories(
                transaction,
                partner_id,
                wanted,
                starts_at=body.in_force_from,
                reason_code=body.reason_code,
                author=principal.client_id,
            )
            answers = [MappingAnswer.of(mapping) for mapping in mappings]
            return Answer(201, MappingsAnswer(partner_id=partner_id, mappings=answers))

        return await idempotent(database, principal, key, body, work)

    @router.get("", responses=problems(400, 401, 403, 404, 422))
    async def list_mappings(partner_id: CodeInPath, principal: Reader, paging: Paging) -> Page[MappingAnswer]:
        """The newest word on each of the partner's categories, whether it counts yet or not."""
        refuse_strangers(principal, partner_id)
        position = paging.position(_PARTNER_CATEGORY)
        after = None if position is None else position[0]
        async with database.transaction() as transaction:
            found = await read_mappings(transaction, partner_id, after=after, rows_max=paging.limit + 1)
        shown = [MappingAnswer.of(mapping) for mapping in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.partner_category for answer in shown[-1:]])

    return router


def unmapped_router(database: Database) -> APIRouter:
    """What is still to be mapped."""
    router = APIRouter(prefix="/v1/partners/{partner_id}", tags=["categories"])

    @router.get("/unmapped-categories", responses=problems(401, 403, 404, 422))
    async def list_unmapped(partner_id: CodeInPath, principal: Reader, limit: Limit = 50) -> UnmappedListAnswer:
        """Categories that receipts of the partner bear and nobody has mapped, those that sell most first."""
        refuse_strangers(principal, partner_id)
        async with database.transaction() as transaction:
            found = await read_unmapped(transaction, partner_id, limit)
        return UnmappedListAnswer(partner_id=partner_id, categories=[UnmappedAnswer.of(sales) for sales in found])

    return router
