"""Changes of API clients, by the programme's own clients alone: another secret, other scopes, revocation."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Response

from services.coalition.api.secret_rotation import SecretRotation
from services.coalition.api.shown_once import ShownOnce
from services.coalition.domain.clients import revoked, with_rate_limit, with_scopes
from services.coalition.domain.errors import ClientOfSettingsError
from services.coalition.domain.registry import ApiClient
from services.coalition.schemas.clients import (
    ClientView,
    RateLimitReplaceBody,
    RevocationBody,
    RotationAnswer,
    RotationBody,
    ScopesBody,
)
from services.coalition.schemas.fields import CodeInPath
from services.coalition.use_cases.change_client import change_client
from shared.database import Database, Transaction
from shared.roles import is_person
from shared.secret_hasher import SecretHasher
from shared.web import Answer, IdempotencyKey, Principal, idempotent, not_found, problems, refuse_partners, requires

Writer = Annotated[Principal, requires("clients:write")]
_WHAT = "Clients are"

_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)


def client_changes_router(
    database: Database, hasher: SecretHasher, shown_once: ShownOnce, of_settings: frozenset[str]
) -> APIRouter:
    """Change clients. Those of the settings (``of_settings``) get secrets and scopes there, but can be revoked here."""
    router = APIRouter(prefix="/v1/api-clients/{client_id}", tags=["api clients"])
    rotation = SecretRotation(database, hasher, shown_once)

    @router.post("/secrets:rotate", response_model=RotationAnswer, responses=_PROBLEMS | problems(503))
    async def rotate(client_id: CodeInPath, body: RotationBody, principal: Writer, key: IdempotencyKey) -> Response:
        """A new secret, shown in this answer alone. The present one stays good for ``overlap_seconds``."""
        _refuse_people(principal, client_id)
        _refuse_settings(client_id, of_settings)
        return await rotation.rotate(client_id, "api_client.secret_rotated", body, principal, key)

    @router.post("/scopes:replace", response_model=ClientView, responses=_PROBLEMS)
    async def replace_scopes(
        client_id: CodeInPath, body: ScopesBody, principal: Writer, key: IdempotencyKey
    ) -> Response:
        """Other scopes. What is withdrawn ends within 30 seconds for tokens that are out, too."""
        _refuse_people(principal, client_id)
        _refuse_settings(client_id, of_settings)

        async def work(transaction: Transaction) -> Answer:
            given = partial(with_scopes, scopes=body.scopes)
            after = await change(transaction, client_id, given, "api_client.scopes_replaced", principal, body.why)
            return Answer(200, ClientView.of(after))

        return await idempotent(database, principal, key, body, work)

    @router.post("/rate-limit:replace", response_model=ClientView, responses=_PROBLEMS)
    async def replace_rate_limit(
        client_id: CodeInPath, body: RateLimitReplaceBody, principal: Writer, key: IdempotencyKey
    ) -> Response:
        """A limit of the client's own, or the services' again (null). Kept to everywhere within 30 seconds."""
        _refuse_people(principal, client_id)

        async def work(transaction: Transaction) -> Answer:
            wanted = None if body.rate_limit is None else body.rate_limit.as_limit()
            given = partial(with_rate_limit, rate_limit=wanted)
            after = await change(transaction, client_id, given, "api_client.rate_limit_replaced", principal, body.why)
            return Answer(200, ClientView.of(after))

        return await idempotent(database, principal, key, body, work)

    @router.post("/revoke", response_model=ClientView, responses=_PROBLEMS)
    async def revoke(client_id: CodeInPath, body: RevocationBody, principal: Writer, key: IdempotencyKey) -> Response:
        """For ever: no token any more, and those that are out are refused everywhere within 30 seconds."""
        _refuse_people(principal, client_id)

        async def work(transaction: Transaction) -> Answer:
            after = await change(transaction, client_id, revoked, "api_client.revoked", principal, body.why)
            return Answer(200, ClientView.of(after))

        return await idempotent(database, principal, key, body, work)

    return router


async def change(
    transaction: Transaction,
    client_id: str,
    how: Callable[[ApiClient], ApiClient],
    action: str,
    principal: Principal,
    why: str | None,
) -> ApiClient:
    """The client after a change, with the caller as its author."""
    return await change_client(transaction, client_id, how, action=action, author=principal.client_id, why=why)


def _refuse_people(principal: Principal, client_id: str) -> None:
    refuse_partners(principal, _WHAT)
    if is_person(client_id):
        raise not_found("client")


def _refuse_settings(client_id: str, of_settings: frozenset[str]) -> None:
    if client_id in of_settings:
        raise ClientOfSettingsError("TESSERA_BOOTSTRAP_CLIENTS says what this client is: change it there")
