"""Who looked at persons: for the programme's auditors."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, TypeAdapter

from services.members.domain.accesses import AccessFilter
from services.members.schemas.accesses import AccessAnswer
from services.members.use_cases.read_accesses import read_accesses
from shared.database import Database
from shared.web import Page, Paging, Principal, problems, refuse_partners, requires

ENTRY_MAX = 2**63 - 1
AUTHOR_LENGTH_MAX = 200

Auditor = Annotated[Principal, requires("members:audit")]
Author = Annotated[str | None, Query(max_length=AUTHOR_LENGTH_MAX, pattern=r"^[^\x00-\x1f\x7f]+$")]

_POSITION = TypeAdapter(tuple[Annotated[int, Field(ge=1, le=ENTRY_MAX)]])


def accesses_router(database: Database) -> APIRouter:
    """Read the record of accesses."""
    router = APIRouter(prefix="/v1", tags=["accesses"])

    @router.get("/personal-accesses", responses=problems(400, 401, 403, 422))
    async def list_accesses(
        principal: Auditor, paging: Paging, member_id: UUID | None = None, accessed_by: Author = None
    ) -> Page[AccessAnswer]:
        """Who saw personal data of whom, when, and what for; newest first."""
        refuse_partners(principal, "Accesses are shown")
        position = paging.position(_POSITION)
        async with database.transaction() as transaction:
            found = await read_accesses(
                transaction,
                AccessFilter(member_id, accessed_by),
                before_entry=None if position is None else position[0],
                rows_max=paging.limit + 1,
            )
        shown = [AccessAnswer.of(entry) for entry in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.entry_id for answer in shown[-1:]])

    return router
