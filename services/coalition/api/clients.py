"""API clients."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import TypeAdapter

from services.coalition.api.shown_once import ShownOnce
from services.coalition.credentials.secrets import new_client_secret
from services.coalition.domain.registry import FIRST_VERSION, ApiClient
from services.coalition.schemas.clients import ClientAnswer, ClientBody, ClientView
from services.coalition.schemas.fields import CodeInPath
from services.coalition.use_cases.read_clients import read_client, read_clients
from services.coalition.use_cases.register_client import register_client
from shared.database import Database, Transaction
from shared.roles import PERSON_PREFIX, is_person
from shared.secret_hasher import HasherBusyError, SecretHasher
from shared.web import (
    Answer,
    CodeText,
    IdempotencyKey,
    Page,
    Paging,
    Principal,
    Problem,
    idempotent,
    invalid_field,
    not_found,
    problems,
    refuse_partners,
    requires,
)

RETRY_AFTER_SECONDS = 1

Writer = Annotated[Principal, requires("clients:write")]
Reader = Annotated[Principal, requires("clients:read")]
_WHAT = "Clients and people are"

_POSITION = TypeAdapter(tuple[CodeText])


def clients_router(database: Database, hasher: SecretHasher, shown_once: ShownOnce) -> APIRouter:
    """Register and read clients."""
    router = APIRouter(prefix="/v1", tags=["api clients"])

    @router.post(
        "/api-clients",
        status_code=201,
        response_model=ClientAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422, 503),
    )
    async def register(body: ClientBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Register a client, for the programme's own clients. Its secret stands in this answer and nowhere else."""
        refuse_partners(principal, _WHAT)
        if is_person(body.client_id):
            raise invalid_field("/client_id", f"no client's id begins with {PERSON_PREFIX}")
        secret = new_client_secret()
        client = ApiClient(
            client_id=body.client_id,
            partner_id=body.partner_id,
            scopes=tuple(sorted(set(body.scopes))),
            secret_hash=await hash_secret(hasher, secret),  # before the transaction: it takes longer than one may idle
            is_revoked=False,
            version=FIRST_VERSION,
            rate_limit=None if body.rate_limit is None else body.rate_limit.as_limit(),
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

    @router.get("/api-clients", responses=problems(400, 401, 403, 422))
    async def list_clients(principal: Reader, paging: Paging) -> Page[ClientView]:
        """Clients in the order of their ids; one that is bound to a partner sees those that are bound to it."""
        position = paging.position(_POSITION)
        after = None if position is None else position[0]
        async with database.transaction() as transaction:
            found = await read_clients(
                transaction, partner_id=principal.partner_id, after=after, rows_max=paging.limit + 1
            )
        shown = [ClientView.of(client) for client in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.client_id for answer in shown[-1:]])

    @router.get("/api-clients/{client_id}", responses=problems(401, 403, 404, 422))
    async def read(client_id: CodeInPath, principal: Reader) -> ClientView:
        """One client, without its secret."""
        async with database.transaction() as transaction:
            client = await read_client(transaction, client_id)
        if is_person(client_id) or not principal.sees(client.partner_id):
            raise not_found("client")
        return ClientView.of(client)

    return router


async def hash_secret(hasher: SecretHasher, secret: str) -> str:
    """The secret's hash, or a 503 problem. Not inside a transaction: it takes longer than one may idle."""
    try:
        return await hasher.hash(secret)
    except HasherBusyError as error:
        raise Problem(
            503,
            "busy",
            f"Too many secrets are being hashed or checked: try again after {RETRY_AFTER_SECONDS} s.",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        ) from error
