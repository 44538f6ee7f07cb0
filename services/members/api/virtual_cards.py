"""Virtual cards for a member's app."""

from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from services.members.domain.identities import Identities
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.issue_virtual_card import issue_virtual_card
from shared.database import Database, Transaction
from shared.sealing import Seal
from shared.web import Answer, IdempotencyKey, Principal, idempotent, problems, requires
from shared.web.shown_once import opened

Changer = Annotated[Principal, requires("identifiers:write")]


class VirtualCardAnswer(BaseModel):
    """A new card. Its number is shown here and to a retry, and nowhere else."""

    model_config = ConfigDict(frozen=True)

    member_id: UUID
    number: str
    identifier_hash: str
    version: int
    linked_at: datetime


def virtual_cards_router(
    database: Database, identities: Identities, master_keys: MasterKeys, prefix: str, seal: Seal
) -> APIRouter:
    """Issuing. For the programme's own clients."""
    router = APIRouter(prefix="/v1", tags=["identifiers"])

    @router.post(
        "/members/{member_id}/virtual-cards",
        status_code=201,
        response_model=VirtualCardAnswer,
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def issue(member_id: UUID, principal: Changer, key: IdempotencyKey) -> Response:
        """A card without plastic: a number that nobody can guess, in use at once."""

        async def work(transaction: Transaction) -> Answer:
            card = await issue_virtual_card(
                transaction, member_id, identities, master_keys, prefix, principal.client_id
            )
            answer = VirtualCardAnswer(
                member_id=card.identifier.member_id,
                number=seal.close(card.number, _about(card.identifier.hash)),
                identifier_hash=card.identifier.hash,
                version=card.identifier.version,
                linked_at=card.identifier.linked_at,
            )
            return Answer(201, answer)

        response = await idempotent(database, principal, key, None, work)
        return opened(response, VirtualCardAnswer, partial(_with_open_number, seal))

    return router


def _with_open_number(seal: Seal, answer: VirtualCardAnswer) -> VirtualCardAnswer:
    return answer.model_copy(update={"number": seal.open(answer.number, _about(answer.identifier_hash))})


def _about(identifier_hash: str) -> str:
    return f"virtual card {identifier_hash}"
