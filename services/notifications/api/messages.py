"""Routes of notifications."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import TypeAdapter

from services.notifications.schemas import MessageAnswer
from services.notifications.use_cases.list_messages import list_messages
from shared.database import Database
from shared.web import Page, Paging, Principal, not_found, problems, requires

_POSITION = TypeAdapter(tuple[UUID])


def messages_router(database: Database) -> APIRouter:
    """The routes about messages, on this database."""
    router = APIRouter(prefix="/v1", tags=["messages"])

    @router.get("/members/{member_id}/messages", responses=problems(400, 401, 403, 404))
    async def read_messages(
        member_id: UUID, paging: Paging, principal: Annotated[Principal, requires("messages:read")]
    ) -> Page[MessageAnswer]:
        """A member's messages, newest first. They are the programme's: a partner's client finds none."""
        if not principal.sees(None):
            raise not_found("There are no messages of this member for you.")
        position = paging.position(_POSITION)
        async with database.transaction() as transaction:
            found = await list_messages(transaction, member_id, position[0] if position else None, paging.limit + 1)
        shown = found[: paging.limit]
        return Page.of(
            found,
            paging.limit,
            [MessageAnswer.model_validate(message) for message in shown],
            (shown[-1].message_id,) if shown else (),
        )

    return router
