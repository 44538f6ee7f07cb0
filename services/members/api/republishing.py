"""Telling the present state again. For the programme alone."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.members.schemas.republishing import RepublishBody, RepublishedAnswer
from services.members.use_cases.republish_members import republish_members
from shared.database import Database, Transaction
from shared.web import Answer, IdempotencyKey, Principal, idempotent, problems, refuse_partners, requires

Teller = Annotated[Principal, requires("members:republish")]


def republishing_router(database: Database) -> APIRouter:
    """Publish members, identifiers and consents again."""
    router = APIRouter(prefix="/v1", tags=["operations"])

    @router.post(
        "/members:republish",
        response_model=RepublishedAnswer,
        responses=problems(400, 401, 403, 409, 413, 415, 422),
    )
    async def republish(body: RepublishBody, principal: Teller, key: IdempotencyKey) -> Response:
        """Publish a page of members, their identifiers and consents as they stand, at their present versions."""
        refuse_partners(principal, "Members are published again")

        async def work(transaction: Transaction) -> Answer:
            return Answer(200, RepublishedAnswer.of(await republish_members(transaction, body.after, body.members_max)))

        return await idempotent(database, principal, key, body, work)

    return router
