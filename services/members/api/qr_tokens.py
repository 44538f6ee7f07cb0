"""QR tokens for a member's app."""

import secrets
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from services.members.use_cases.issue_qr_token import issue_qr_token
from shared.database import Database, Transaction
from shared.qr_tokens import NONCE_BYTES, QrKeys
from shared.web import Answer, IdempotencyKey, Principal, idempotent, problems, requires

Issuer = Annotated[Principal, requires("qr-tokens:write")]


class QrTokenAnswer(BaseModel):
    """What the app shows, and until when. ``session_id`` is the token's third part too, in base64url."""

    model_config = ConfigDict(frozen=True)

    token: str
    session_id: UUID
    issued_at: datetime
    expires_at: datetime


def qr_tokens_router(database: Database, keys: QrKeys) -> APIRouter:
    """Issuing. For the programme's own app."""
    router = APIRouter(prefix="/v1", tags=["identifiers"])

    @router.post(
        "/members/{member_id}/qr-tokens",
        status_code=201,
        response_model=QrTokenAnswer,
        responses=problems(400, 401, 403, 404, 409, 422),
    )
    async def issue(member_id: UUID, principal: Issuer, key: IdempotencyKey) -> Response:
        """A QR token that counts for 60 seconds and one till conversation. It names nobody to whoever reads it."""

        async def work(transaction: Transaction) -> Answer:
            token = await issue_qr_token(transaction, member_id)
            answer = QrTokenAnswer(
                token=keys.seal(token, secrets.token_bytes(NONCE_BYTES)),
                session_id=token.session_id,
                issued_at=token.issued_at,
                expires_at=token.expires_at,
            )
            return Answer(201, answer)

        return await idempotent(database, principal, key, None, work)

    return router
