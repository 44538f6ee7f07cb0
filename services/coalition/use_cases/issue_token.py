"""A client, or a person, proves a secret and gets a token: OAuth 2.0, client credentials (RFC 6749 §4.4)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.coalition.credentials.tokens import AccessToken, TokenSigner
from services.coalition.domain.scopes import narrowed_scopes
from services.coalition.repository import clients
from shared.database import Database
from shared.ids import new_id
from shared.secret_hasher import SecretHasher

SECRETS_MAX = 2  # of one client: its own, and the one that it replaced


class UnknownClientError(Exception):
    """No such client, another secret, or revoked; the answer does not tell which."""


class ScopeNotGrantedError(Exception):
    """The request names a scope that the client does not have, or an empty one."""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """Who asks, with what secret, and for which scopes (None: all that the client has)."""

    client_id: str
    secret: str = field(repr=False)
    scope: str | None


class TokenDesk:
    """Issues tokens. The secret is checked outside of any transaction and beside the event loop."""

    def __init__(self, database: Database, hasher: SecretHasher, signer: TokenSigner) -> None:
        self._database = database
        self._hasher = hasher
        self._signer = signer

    async def issue(self, request: TokenRequest) -> AccessToken:
        """A token for the client.

        Raises:
            UnknownClientError: the client could not be told, after as much time as for one that could.
            ScopeNotGrantedError: it asks for more than it has.
            HasherBusyError: too many ask at once.
        """
        async with self._database.transaction() as transaction:
            client = await clients.find_client(transaction, request.client_id)
            valid_hashes = () if client is None else client.valid_hashes(transaction.now)
        if client is None or not await self._is_proven(request.secret, valid_hashes):
            raise UnknownClientError("no client with this id and secret")
        scopes = narrowed_scopes(client.scopes, request.scope)
        if scopes is None:
            raise ScopeNotGrantedError("the client may not have this scope")
        # Real time: a token's life is no business time.
        return self._signer.sign(client.client_id, client.partner_id, scopes, new_id(), int(time.time()), client.roles)

    async def _is_proven(self, secret: str, valid_hashes: Sequence[str]) -> bool:
        """Whether one of the hashes is the secret's. A refusal takes two computations whatever hashes there are, so
        that its time tells neither whether the client exists nor whether its secret is being replaced.
        """
        for secret_hash in (*valid_hashes, None, None)[:SECRETS_MAX]:
            if await self._hasher.verify(secret_hash, secret):
                return True
        return False
