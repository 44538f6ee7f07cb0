"""Members who may be one person, for the programme alone. Who they are is read through ``GET /v1/members/{id}``."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, TypeAdapter

from services.members.repository import duplicates
from services.members.schemas.duplicates import DismissalAnswer, DismissBody, DuplicateAnswer
from services.members.use_cases.dismiss_duplicate import DismissalRequest, dismiss_duplicate
from shared.database import Database, Transaction
from shared.web import Answer, IdempotencyKey, Page, Paging, Principal, idempotent, problems, refuse_partners, requires

Merger = Annotated[Principal, requires("members:merge")]

_POSITION = TypeAdapter(tuple[Annotated[int, Field(ge=0, le=100)], UUID])
_SHOWN = "Duplicates are shown"


def duplicates_router(database: Database) -> APIRouter:
    """The list of candidates, and what people decide on it beside merging."""
    router = APIRouter(prefix="/v1/duplicates", tags=["merging"])

    @router.get("", responses=problems(400, 401, 403, 422))
    async def read(principal: Merger, paging: Paging) -> Page[DuplicateAnswer]:
        """Pairs of members who may be one person, the most alike first.

        Read both before you merge them (``POST /v1/members/{id}/merge``): alike is not the same.
        """
        refuse_partners(principal, _SHOWN)
        position, rows_max = paging.position(_POSITION), paging.limit + 1
        async with database.transaction() as transaction:
            found = await duplicates.load_open(transaction, position=position, rows_max=rows_max)
        shown = [DuplicateAnswer.of(each) for each in found[: paging.limit]]
        last = [each for answer in shown[-1:] for each in (answer.score_percent, answer.duplicate_id)]
        return Page.of(found, paging.limit, shown, last)

    @router.post(
        "/{duplicate_id}/dismiss",
        response_model=DismissalAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def dismiss(duplicate_id: UUID, body: DismissBody, principal: Merger, key: IdempotencyKey) -> Response:
        """Say that the two are two. The pair does not come back unless one of the persons is corrected."""
        refuse_partners(principal, "Duplicates are dismissed")
        request = DismissalRequest(duplicate_id, body.reason_code, principal.client_id)

        async def work(transaction: Transaction) -> Answer:
            return Answer(200, DismissalAnswer.of(await dismiss_duplicate(transaction, request)))

        return await idempotent(database, principal, key, body, work)

    return router
