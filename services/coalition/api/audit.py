"""The audit log, for the programme's own clients and people."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field, TypeAdapter

from services.coalition.domain.audit import AuditFilter
from services.coalition.schemas.audit import AuditEntryAnswer
from services.coalition.use_cases.read_audit_log import read_audit_log
from shared.database import Database
from shared.web import AwareTime, Page, Paging, Principal, problems, refuse_partners, requires

FILTER_LENGTH_MAX = 300
ENTRY_MAX = 2**63 - 1

Reader = Annotated[Principal, requires("audit:read")]
FilterText = Annotated[str | None, Query(max_length=FILTER_LENGTH_MAX, pattern=r"^[^\x00-\x1f\x7f]+$")]
FilterTime = Annotated[AwareTime | None, Query(description="RFC 3339 with an offset.")]

_POSITION = TypeAdapter(tuple[Annotated[int, Field(ge=1, le=ENTRY_MAX)]])


def audit_router(database: Database) -> APIRouter:
    """Read what was done, by whom and why."""
    router = APIRouter(prefix="/v1", tags=["audit log"])

    @router.get("/audit-log", responses=problems(400, 401, 403, 422))
    async def list_entries(
        principal: Reader,
        paging: Paging,
        author: FilterText = None,
        action: FilterText = None,
        subject: FilterText = None,
        partner_id: FilterText = None,
        since: FilterTime = None,
        until: FilterTime = None,
    ) -> Page[AuditEntryAnswer]:
        """Administrative acts, newest first; ``since`` is included, ``until`` is not."""
        refuse_partners(principal, "The audit log is")
        position = paging.position(_POSITION)
        wanted = AuditFilter(author, action, subject, partner_id, since, until)
        async with database.transaction() as transaction:
            found = await read_audit_log(
                transaction,
                wanted,
                before_entry=None if position is None else position[0],
                rows_max=paging.limit + 1,
            )
        shown = [AuditEntryAnswer.of(entry) for entry in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.entry_id for answer in shown[-1:]])

    return router
