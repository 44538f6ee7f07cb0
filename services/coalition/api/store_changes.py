"""Read and change one store."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.coalition.api.stores import refuse_strangers
from services.coalition.domain.registry import Store
from services.coalition.schemas.fields import CodeInPath
from services.coalition.schemas.stores import StoreAnswer, StoreChangeBody
from services.coalition.use_cases.change_store import change_store
from services.coalition.use_cases.read_partners import read_store
from shared.database import Database, Transaction
from shared.web import IfMatch, Principal, etag, problems, requires

Writer = Annotated[Principal, requires("partners:write")]
Reader = Annotated[Principal, requires("partners:read")]


def store_changes_router(database: Database) -> APIRouter:
    """One store, with its version."""
    router = APIRouter(prefix="/v1/partners/{partner_id}/stores", tags=["stores"])

    @router.get("/{store_id}", responses=problems(401, 403, 404, 422))
    async def read(partner_id: CodeInPath, store_id: CodeInPath, principal: Reader, response: Response) -> StoreAnswer:
        """One store, with its version as ETag."""
        refuse_strangers(principal, partner_id)
        async with database.transaction() as transaction:
            store = await read_store(transaction, partner_id, store_id)
        response.headers.update(etag(store.version))
        return StoreAnswer.of(store)

    @router.patch("/{store_id}", responses=problems(400, 401, 403, 404, 412, 413, 415, 422, 428))
    async def change(
        partner_id: CodeInPath,
        store_id: CodeInPath,
        body: StoreChangeBody,
        principal: Writer,
        version: IfMatch,
        response: Response,
    ) -> StoreAnswer:
        """Change a store. What is left out stays; null takes away what may be unknown."""
        refuse_strangers(principal, partner_id)

        async def work(transaction: Transaction) -> Store:
            return await change_store(
                transaction,
                partner_id,
                store_id,
                body.changed,
                expected_version=version,
                author=principal.client_id,
            )

        changed = await database.run(work)
        response.headers.update(etag(changed.version))
        return StoreAnswer.of(changed)

    return router
