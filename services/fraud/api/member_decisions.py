"""``GET /v1/members/{id}/spend-decisions``: what was decided of a member's spending, for whoever is asked about it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import TypeAdapter

from services.fraud.schemas.member_decisions import MemberDecisionAnswer
from services.fraud.use_cases.read_member_decisions import read_member_decisions
from shared.database import Database
from shared.web import Page, Paging, Principal, problems, refuse_partners, requires

_POSITION = TypeAdapter(tuple[datetime, UUID])


def member_decisions_router(database: Database) -> APIRouter:
    """A member's decisions on spending, for support."""
    router = APIRouter(prefix="/v1/members", tags=["decisions"])

    @router.get("/{member_id}/spend-decisions", responses=problems(400, 401, 403, 422))
    async def read(
        member_id: UUID, paging: Paging, principal: Annotated[Principal, requires("spend-decisions:read")]
    ) -> Page[MemberDecisionAnswer]:
        """Each ask before points left, the newest first: when, for what, how it was decided, by which rules, and what
        became of it. No figure and no threshold, which would tell how not to be noticed.

        Of a member who was merged away the survivor's; nothing for a stranger, or one who was erased.
        """
        refuse_partners(principal, "Decisions on spending are told")
        before = paging.position(_POSITION)
        async with database.transaction() as transaction:
            found = await read_member_decisions(transaction, member_id, before, paging.limit + 1)
        shown = [MemberDecisionAnswer.of(stored) for stored in found[: paging.limit]]
        last = [(answer.asked_at, answer.decision_id) for answer in shown[-1:]]
        return Page[MemberDecisionAnswer].of(found, paging.limit, shown, last[0] if last else ())

    return router
