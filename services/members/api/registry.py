"""Reading members. Persons are shown to the programme's own clients alone."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.members.domain.accesses import Access, ReadPurpose
from services.members.schemas.registry import (
    ContactAnswer,
    MemberAnswer,
    NameAnswer,
)
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.read_member import read_identifiers, read_member
from shared.database import Database
from shared.web import Principal, etag, not_found, problems, refuse_partners, requires

Writer = Annotated[Principal, requires("members:write")]
Reader = Annotated[Principal, requires("members:read")]
Correspondent = Annotated[Principal, requires("members:contact")]
Greeter = Annotated[Principal, requires("members:name")]
# Whoever asks for another says who sees it: a client's id, or a till's, with its partner's and its store's.
ShownTo = Annotated[
    str | None,
    Query(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$", description="Who sees it, if not the caller."),
]


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

    @router.get("/members/{member_id}/name", responses=problems(401, 403, 404, 422))
    async def name(member_id: UUID, principal: Greeter, shown_to: ShownTo = None) -> NameAnswer:
        """How to greet a member at a till. For the programme's own clients; who sees it is recorded, for a checkout."""
        refuse_partners(principal, "Persons are shown")
        async with database.transaction() as transaction:
            access = Access(member_id, shown_to or principal.client_id, "checkout", "name")
            _, person = await read_member(transaction, access, master_keys)
        if person is None:
            raise not_found("name")
        return NameAnswer.of(person)

    return router
