"""Reading members. Persons are shown to the programme's own clients alone."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.members.domain.accesses import Access, ReadPurpose
from services.members.schemas.registry import (
    ContactAnswer,
    MemberAnswer,
)
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.read_member import read_identifiers, read_member
from shared.database import Database
from shared.web import Principal, etag, not_found, problems, refuse_partners, requires

Writer = Annotated[Principal, requires("members:write")]
Reader = Annotated[Principal, requires("members:read")]
Correspondent = Annotated[Principal, requires("members:contact")]


def lookup_router(database: Database, master_keys: MasterKeys) -> APIRouter:
    """Reading members; changes nothing."""
    router = APIRouter(prefix="/v1", tags=["members"])

    @router.get("/members/{member_id}", responses=problems(401, 403, 404, 422))
    async def read(
        member_id: UUID, principal: Reader, response: Response, purpose: ReadPurpose = "service"
    ) -> MemberAnswer:
        """A member and the person behind it. For the programme's own clients; who asked, and what for, is recorded."""
        refuse_partners(principal, "Persons are shown")
        async with database.transaction() as transaction:
            access = Access(member_id, principal.client_id, purpose, "member")
            member, person = await read_member(transaction, access, master_keys)
            response.headers.update(etag(member.version))
            return MemberAnswer.of(member, person, await read_identifiers(transaction, member.member_id))

    @router.get("/members/{member_id}/contact", responses=problems(401, 403, 404, 422))
    async def contact(member_id: UUID, principal: Correspondent) -> ContactAnswer:
        """Where to write to a member, read when a message is sent. For the programme's own clients."""
        refuse_partners(principal, "Persons are shown")
        async with database.transaction() as transaction:
            access = Access(member_id, principal.client_id, "message", "contact")
            member, person = await read_member(transaction, access, master_keys)
        if person is None:
            raise not_found("contact")
        return ContactAnswer.of(member, person)

    return router
