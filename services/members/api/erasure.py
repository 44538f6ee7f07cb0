"""Erasure on a person's request, or at the end of retention. For the programme alone."""

from collections.abc import Collection
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.members.domain.erasure import ErasureRequest
from services.members.domain.identities import Identities
from services.members.schemas.erasure import ErasedAnswer
from services.members.schemas.statuses import ReasonBody
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.erase_member import erase_member
from services.members.use_cases.rekey_identifiers import complete_hashes
from shared.database import Database, Transaction
from shared.web import Answer, IdempotencyKey, Principal, idempotent, problems, refuse_partners, requires

Eraser = Annotated[Principal, requires("members:erase")]


def erasure_router(
    database: Database, identities: Identities, master_keys: MasterKeys, reasons: Collection[str]
) -> APIRouter:
    """Erase a person."""
    router = APIRouter(prefix="/v1", tags=["erasure"])

    @router.post(
        "/members/{member_id}/erase",
        response_model=ErasedAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def erase(member_id: UUID, body: ReasonBody, principal: Eraser, key: IdempotencyKey) -> Response:
        """Erase the person behind a member, for good. Who was erased before is answered as then."""
        refuse_partners(principal, "Erasures are")
        request = ErasureRequest(member_id, body.reason_code, principal.client_id)

        async def work(transaction: Transaction) -> Answer:
            await complete_hashes(transaction, identities, master_keys, member_id)
            return Answer(200, ErasedAnswer.of(await erase_member(transaction, request, reasons)))

        return await idempotent(database, principal, key, body, work)

    return router
