"""Rotating a secret, which clients and people do in the same steps."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from fastapi import Response

from services.coalition.api.clients import hash_secret
from services.coalition.api.shown_once import ShownOnce
from services.coalition.credentials.secrets import new_client_secret
from services.coalition.domain.clients import with_new_secret
from services.coalition.schemas.clients import RotationAnswer, RotationBody
from services.coalition.use_cases.change_client import change_client
from shared.database import Database, Transaction
from shared.secret_hasher import SecretHasher
from shared.web import Answer, IdempotencyKey, Principal, idempotent


@dataclass(frozen=True, slots=True)
class SecretRotation:
    """Gives clients and people new secrets, on this process's database."""

    database: Database
    hasher: SecretHasher
    shown_once: ShownOnce

    async def rotate(
        self, client_id: str, action: str, body: RotationBody, principal: Principal, key: IdempotencyKey
    ) -> Response:
        """The answer with the new secret, which stands there and nowhere else; ``action`` is what the audit calls it.

        The present secret stays good for ``overlap_seconds``. The new one is hashed before the transaction begins.
        """
        secret = new_client_secret()
        secret_hash = await hash_secret(self.hasher, secret)

        async def work(transaction: Transaction) -> Answer:
            overlap = timedelta(seconds=body.overlap_seconds)
            until = transaction.now + overlap if overlap else None
            rotated = partial(with_new_secret, secret_hash=secret_hash, previous_valid_until=until)
            after = await change_client(
                transaction, client_id, rotated, action=action, author=principal.client_id, why=body.why
            )
            sealed = self.shown_once.seal_client_secret(client_id, secret)
            answer = RotationAnswer(
                client_id=client_id, previous_valid_until=until, version=after.version, client_secret=sealed
            )
            return Answer(200, answer)

        return self.shown_once.open_rotation(await idempotent(self.database, principal, key, body, work))
