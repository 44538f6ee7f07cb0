"""``/v1/members/{member_id}/data``: all that notifications keeps of a member, for an export."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from services.notifications.repository.member_data import KeptMessage
from services.notifications.schemas import MessageAnswer
from services.notifications.use_cases.read_member_data import SECTIONS
from shared.database import Database
from shared.receipt_key import receipt_id_of
from shared.web import Page, Paging, Principal, not_found, problems, requires
from shared.web.sections import read_sections


class EntryData(BaseModel):
    """A receipt that a message told of."""

    model_config = ConfigDict(frozen=True)

    receipt_id: str
    partner_id: str
    points: int
    debt_cleared: int
    occurred_at: datetime


class NewsData(BaseModel):
    """Something else that a message told of: a tier, or points that expired, were given, are owed … Where they were not
    the programme's own, ``point_type`` says which.
    """

    model_config = ConfigDict(frozen=True, from_attributes=True)

    kind: str
    points: int
    name: str | None
    last_day: date | None
    point_type: str | None
    occurred_at: datetime


class MessageData(MessageAnswer):
    """A message, and what it told of."""

    kind: Literal["message"] = "message"
    entries: list[EntryData]
    news: list[NewsData]

    @classmethod
    def of(cls, kept: KeptMessage) -> Self:
        """The answer for a message."""
        entries = [
            EntryData(
                receipt_id=receipt_id_of(entry.receipt_key),
                partner_id=entry.partner_id,
                points=entry.points,
                debt_cleared=entry.debt_cleared,
                occurred_at=entry.occurred_at,
            )
            for entry in kept.entries
        ]
        news = [NewsData.model_validate(told) for told in kept.news]
        return cls(**MessageAnswer.model_validate(kept.message).model_dump(), entries=entries, news=news)


def member_data_router(database: Database) -> APIRouter:
    """The route, on this process's database."""
    router = APIRouter(prefix="/v1", tags=["member data"])

    @router.get("/members/{member_id}/data", responses=problems(400, 401, 403, 404, 422))
    async def read_data(
        member_id: UUID, paging: Paging, principal: Annotated[Principal, requires("members:data")]
    ) -> Page[MessageData]:
        """All that a member was told, or will be, with the receipts it was about. For the programme's own clients.

        The id is taken as it stands: who was merged away has what was sent under the old id. Nothing for a stranger.
        """
        if not principal.sees(None):
            raise not_found("member")
        async with database.transaction() as transaction:
            page = await read_sections(transaction, member_id, SECTIONS, paging)
        return Page[MessageData](items=[MessageData.of(kept) for kept in page.rows], next_cursor=page.next_cursor)

    return router
