"""A till's keys: another one with an overlap, or an end to them at once."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Response

from services.coalition.api.shown_once import ShownOnce
from services.coalition.api.stores import refuse_strangers
from services.coalition.credentials.secrets import new_till_key
from services.coalition.schemas.fields import CodeInPath
from services.coalition.schemas.stores import KeyRevocationBody, KeyRotationAnswer, KeyRotationBody, TillView
from services.coalition.use_cases.change_till import TillName, revoke_keys, rotate_key
from shared.database import Database, Transaction
from shared.web import (
    Answer,
    IdempotencyKey,
    Principal,
    idempotent,
    problems,
    requires,
    till_key_sha256,
)

Writer = Annotated[Principal, requires("partners:write")]
_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)


def till_keys_router(database: Database, shown_once: ShownOnce) -> APIRouter:
    """Rotate and revoke."""
    router = APIRouter(prefix="/v1/partners/{partner_id}/stores/{store_id}/tills/{till_id}", tags=["tills"])

    @router.post("/keys:rotate", status_code=201, response_model=KeyRotationAnswer, responses=_PROBLEMS)
    async def rotate(
        partner_id: CodeInPath,
        store_id: CodeInPath,
        till_id: CodeInPath,
        body: KeyRotationBody,
        principal: Writer,
        key: IdempotencyKey,
    ) -> Response:
        """Give a till a new key. The old one stays good for ``overlap_seconds``, so that the till can change over."""
        refuse_strangers(principal, partner_id)
        name = TillName(partner_id, store_id, till_id)
        till_key = new_till_key()

        async def work(transaction: Transaction) -> Answer:
            till = await rotate_key(
                transaction,
                name,
                till_key_sha256(till_key),
                timedelta(seconds=body.overlap_seconds),
                body.reason_code,
                principal.client_id,
            )
            answer = KeyRotationAnswer(
                partner_id=partner_id,
                store_id=store_id,
                till_id=till_id,
                version=till.version,
                previous_key_until=till.previous_key_until,
                till_key=shown_once.seal_till_key(partner_id, store_id, till_id, till_key),
            )
            return Answer(201, answer)

        return shown_once.open_till_rotation(await idempotent(database, principal, key, body, work))

    @router.post("/keys:revoke", response_model=TillView, responses=_PROBLEMS)
    async def revoke(
        partner_id: CodeInPath,
        store_id: CodeInPath,
        till_id: CodeInPath,
        body: KeyRevocationBody,
        principal: Writer,
        key: IdempotencyKey,
    ) -> Response:
        """End a till's keys at once: the one that was replaced, or all. A till without keys is let in by a rotation."""
        refuse_strangers(principal, partner_id)
        name = TillName(partner_id, store_id, till_id)

        async def work(transaction: Transaction) -> Answer:
            till = await revoke_keys(transaction, name, body.keys, body.reason_code, principal.client_id)
            return Answer(200, TillView.of(till))

        return await idempotent(database, principal, key, body, work)

    return router
