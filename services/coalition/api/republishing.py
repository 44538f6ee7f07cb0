"""Telling the present state again. For the programme alone."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import TypeAdapter

from services.coalition.schemas.republishing import RepublishBody, RepublishedAnswer
from services.coalition.use_cases.republish import Place, republish
from shared.database import Database, Transaction
from shared.web import Answer, IdempotencyKey, Principal, idempotent, problems, refuse_partners, requires
from shared.web.paging import decode_cursor

Teller = Annotated[Principal, requires("coalition:republish")]

_PLACE = TypeAdapter(Place)


def republishing_router(database: Database) -> APIRouter:
    """Publish partners, all that is theirs, and clients again."""
    router = APIRouter(prefix="/v1", tags=["operations"])

    @router.post(
        "/coalition:republish",
        response_model=RepublishedAnswer,
        responses=problems(400, 401, 403, 409, 413, 415, 422),
    )
    async def tell_again(body: RepublishBody, principal: Teller, key: IdempotencyKey) -> Response:
        """Publish a page of what is there, at its present versions: of one partner at most, or of clients."""
        refuse_partners(principal, "What is told again is")
        after = None if body.cursor is None else decode_cursor(body.cursor, _PLACE)

        async def work(transaction: Transaction) -> Answer:
            return Answer(200, RepublishedAnswer.of(await republish(transaction, after, body.events_max)))

        return await idempotent(database, principal, key, body, work)

    return router
