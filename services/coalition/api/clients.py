"""API clients."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.coalition.api.shown_once import ShownOnce
from services.coalition.credentials.secrets import HasherBusyError, SecretHasher, new_client_secret
from services.coalition.domain.registry import FIRST_VERSION, ApiClient
from services.coalition.schemas.clients import ClientAnswer, ClientBody
from services.coalition.use_cases.register_client import register_client
from shared.database import Database, Transaction
from shared.web import Answer, IdempotencyKey, Principal, Problem, idempotent, problems, requires

RETRY_AFTER_SECONDS = 1

Writer = Annotated[Principal, requires("clients:write")]


def clients_router(database: Database, hasher: SecretHasher, shown_once: ShownOnce) -> APIRouter:
    """Register clients."""
    router = APIRouter(prefix="/v1", tags=["api clients"])

    @router.post(
        "/api-clients",
        status_code=201,
        response_model=ClientAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422, 503),
    )
    async def register(body: ClientBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Register a client, for the programme's own clients. Its secret stands in this answer and nowhere else."""
        if principal.partner_id is not None:
            raise Problem(403, "programme-only", "Clients are registered by the programme's own clients alone.")
        secret = new_client_secret()
        client = ApiClient(
            client_id=body.client_id,
            partner_id=body.partner_id,
            scopes=tuple(sorted(set(body.scopes))),
            secret_hash=await _hash(hasher, secret),  # before the transaction: it takes longer than one may idle
            is_revoked=False,
            version=FIRST_VERSION,
        )

        async def work(transaction: Transaction) -> Answer:
            await register_client(transaction, client, principal.client_id)
            answer = ClientAnswer(
                client_id=client.client_id,
                partner_id=client.partner_id,
                scopes=list(client.scopes),
                version=client.version,
                client_secret=shown_once.seal_client_secret(client.client_id, secret),
            )
            return Answer(201, answer)

        return shown_once.open_client(await idempotent(database, principal, key, body, work))

    return router


async def _hash(hasher: SecretHasher, secret: str) -> str:
    try:
        return await hasher.hash(secret)
    except HasherBusyError as error:
        raise Problem(
            503,
            "busy",
            f"Too many secrets are being hashed or checked: try again after {RETRY_AFTER_SECONDS} s.",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        ) from error
