"""Statuses: suspended, limited, closed, and back. For the programme alone."""

from collections.abc import Collection
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, TypeAdapter

from services.members.domain.statuses import RequestedStatus
from services.members.schemas.statuses import ReasonBody, StatusAnswer, StatusBody, StatusChangeAnswer
from services.members.use_cases.change_status import StatusRequest, change_status
from services.members.use_cases.read_status_changes import read_status_changes
from shared.database import Database, Transaction
from shared.web import (
    Answer,
    IdempotencyKey,
    KeyedRequest,
    Page,
    Paging,
    Principal,
    idempotent,
    problems,
    refuse_partners,
    requires,
)

VERSION_MAX = 2**63 - 1

Warden = Annotated[Principal, requires("members:status")]
Auditor = Annotated[Principal, requires("members:audit")]

_POSITION = TypeAdapter(tuple[Annotated[int, Field(ge=1, le=VERSION_MAX)]])
_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)


def statuses_router(database: Database, reasons: Collection[str]) -> APIRouter:
    """Change a member's status, and read how it came about."""
    router = APIRouter(prefix="/v1/members/{member_id}", tags=["statuses"])

    async def become(
        member_id: UUID, status: RequestedStatus, body: ReasonBody, principal: Principal, key: KeyedRequest
    ) -> Response:
        refuse_partners(principal, "Statuses are")
        request = StatusRequest(member_id, status, body.reason_code, principal.client_id)

        async def work(transaction: Transaction) -> Answer:
            return Answer(200, StatusAnswer.of(await change_status(transaction, request, reasons)))

        return await idempotent(database, principal, key, body, work)

    @router.post("/status", response_model=StatusAnswer, responses=_PROBLEMS)
    async def set_status(member_id: UUID, body: StatusBody, principal: Warden, key: IdempotencyKey) -> Response:
        """Give a member another status. One that may not follow the present one is refused (409)."""
        return await become(member_id, body.status, body, principal, key)

    @router.post("/suspend", response_model=StatusAnswer, responses=_PROBLEMS)
    async def suspend(member_id: UUID, body: ReasonBody, principal: Warden, key: IdempotencyKey) -> Response:
        """Suspend a member: nothing is earned or spent until another status is given."""
        return await become(member_id, "suspended", body, principal, key)

    @router.post("/close", response_model=StatusAnswer, responses=_PROBLEMS)
    async def close(member_id: UUID, body: ReasonBody, principal: Warden, key: IdempotencyKey) -> Response:
        """Close a membership for good. Who comes back enrols anew."""
        return await become(member_id, "closed", body, principal, key)

    @router.get("/status-changes", responses=problems(400, 401, 403, 422))
    async def list_changes(member_id: UUID, principal: Auditor, paging: Paging) -> Page[StatusChangeAnswer]:
        """Who changed a member's status, when, and why; newest first."""
        refuse_partners(principal, "Statuses are")
        position = paging.position(_POSITION)
        async with database.transaction() as transaction:
            found = await read_status_changes(
                transaction,
                member_id,
                before_version=None if position is None else position[0],
                rows_max=paging.limit + 1,
            )
        shown = [StatusChangeAnswer.of(change) for change in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.version for answer in shown[-1:]])

    return router
