"""``GET /v1/members/{id}/privileges``: what a member is entitled to now, and why."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.redemption.programme import Programme
from services.redemption.schemas.member_privileges import MemberPrivilegesAnswer
from services.redemption.use_cases.read_privileges import read_privileges
from shared.database import Database
from shared.web import Principal, problems, refuse_partners, requires


def member_privileges_router(database: Database, programme: Programme) -> APIRouter:
    """A member's privileges, for those who explain them."""
    router = APIRouter(prefix="/v1/members", tags=["privileges"])

    @router.get("/{member_id}/privileges", responses=problems(401, 403, 404, 422))
    async def read(
        member_id: UUID, principal: Annotated[Principal, requires("privileges:read")]
    ) -> MemberPrivilegesAnswer:
        """Every privilege that the member has now, wherever it is given, why, and how often it may still be used.

        Of a member who was merged away the survivor's. What a basket gets at a place, a till checks.
        """
        refuse_partners(principal, "Members' privileges are told")
        work = partial(read_privileges, member_id=member_id, programme=programme)
        return MemberPrivilegesAnswer.of_member(await database.read(work))

    return router
