"""Merging: two members turn out to be one person. For the programme alone."""

from collections.abc import Collection
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.members.domain.merging import MergeRequest
from services.members.schemas.merging import MergeAnswer, MergeBody
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.merge_members import merge_members
from shared.database import Database, Transaction
from shared.web import Answer, IdempotencyKey, Principal, idempotent, problems, refuse_partners, requires

Merger = Annotated[Principal, requires("members:merge")]


def merging_router(database: Database, master_keys: MasterKeys, reasons: Collection[str]) -> APIRouter:
    """Make two members one."""
    router = APIRouter(prefix="/v1/members/{member_id}", tags=["merging"])

    @router.post(
        "/merge",
        response_model=MergeAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def merge(member_id: UUID, body: MergeBody, principal: Merger, key: IdempotencyKey) -> Response:
        """Merge ``merged_member_id`` into the member of the path, who answers for both ids from then on, for ever.

        Points follow within seconds. It cannot be undone. Merged this way before is answered as it stands; merged into
        somebody else is refused (409), and the answer says into whom.
        """
        refuse_partners(principal, "Merges are")
        request = MergeRequest(member_id, body.merged_member_id, body.reason_code, principal.client_id)

        async def work(transaction: Transaction) -> Answer:
            survivor = await merge_members(transaction, request, master_keys, reasons)
            return Answer(200, MergeAnswer.of(survivor, request.merged_id))

        return await idempotent(database, principal, key, body, work)

    return router
